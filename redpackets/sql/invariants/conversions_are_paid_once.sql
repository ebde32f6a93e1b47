-- What a vote has promised in money is paid once and whole, from the fund of its campaign to the wallet of its player, or
-- not at all; and nothing is paid under such a key that was not promised.
WITH promised AS (
    SELECT 'conversion:' || c.id AS business_key, c.campaign_id, c.player_id, c.fen, c.paid_at
      FROM cards_conversion c
     WHERE c.fen > 0
), posted AS (
    SELECT e.business_key, e.source_kind, e.source_owner, e.destination_kind, e.destination_owner, e.amount_fen
      FROM redpackets_ledgerentry e
     WHERE starts_with(e.business_key, 'conversion:')
)
SELECT business_key, p.campaign_id, p.player_id, p.fen, p.paid_at, e.amount_fen
  FROM promised p FULL JOIN posted e USING (business_key)
 WHERE (p.paid_at IS NOT NULL) IS DISTINCT FROM (e.amount_fen IS NOT NULL)
    OR (p.paid_at IS NOT NULL
        AND (e.source_kind, e.source_owner, e.destination_kind, e.destination_owner, e.amount_fen)
            IS DISTINCT FROM ('goodwill', p.campaign_id, 'wallet', p.player_id, p.fen))
