-- What is set aside for compensations and what was paid of it are the sums of their entries, and only players were paid.
WITH moved AS (
    SELECT destination_owner AS campaign_id, amount_fen AS funded_fen, 0 AS paid_fen
      FROM redpackets_ledgerentry WHERE destination_kind = 'goodwill' AND source_kind = 'sponsor'
    UNION ALL
    SELECT source_owner, 0, amount_fen
      FROM redpackets_ledgerentry WHERE source_kind = 'goodwill' AND destination_kind = 'wallet'
    UNION ALL
    -- Between no other accounts: such an entry makes its fund differ.
    SELECT CASE WHEN source_kind = 'goodwill' THEN source_owner ELSE destination_owner END, -1, -1
      FROM redpackets_ledgerentry
     WHERE (source_kind = 'goodwill' AND destination_kind <> 'wallet')
        OR (destination_kind = 'goodwill' AND source_kind <> 'sponsor')
), booked AS (
    SELECT campaign_id, sum(funded_fen) AS funded_fen, sum(paid_fen) AS paid_fen FROM moved GROUP BY campaign_id
)
SELECT campaign_id, f.funded_fen, b.funded_fen AS booked_fen, f.paid_fen, b.paid_fen AS paid_out_fen
  FROM redpackets_compensationfund f FULL JOIN booked b USING (campaign_id)
 WHERE (coalesce(f.funded_fen, 0), coalesce(f.paid_fen, 0)) <> (coalesce(b.funded_fen, 0), coalesce(b.paid_fen, 0))
    OR f.paid_fen > f.funded_fen
