-- A pool never pays more than it was funded with; from the opening on it is funded exactly; a settled one has returned
-- what it should; a finished one that credits what is unopened is empty.
WITH funding AS (
    SELECT destination_owner AS pool, sum(amount_fen) AS fen
      FROM redpackets_ledgerentry WHERE destination_kind = 'pool' GROUP BY destination_owner
), spending AS (
    SELECT source_owner AS pool, sum(amount_fen) AS fen,
           sum(amount_fen) FILTER (WHERE destination_kind = 'sponsor') AS sent_back_fen
      FROM redpackets_ledgerentry WHERE source_kind = 'pool' GROUP BY source_owner
), account AS (
    SELECT o.id AS pool, o.amount_fen, o.credit_after_s, s.state, s.returned_fen,
           coalesce(f.fen, 0) AS funded_fen, coalesce(p.fen, 0) AS spent_fen,
           coalesce(p.sent_back_fen, 0) AS sent_back_fen
      FROM redpackets_pool o
      LEFT JOIN redpackets_settlement s ON s.pool_id = o.id
      LEFT JOIN funding f ON f.pool = o.id
      LEFT JOIN spending p ON p.pool = o.id
)
SELECT *
  FROM account
 WHERE spent_fen > funded_fen
    OR funded_fen > amount_fen
    OR (state IS NOT NULL AND funded_fen <> amount_fen)
    OR (state IN ('credit', 'done') AND sent_back_fen <> returned_fen)
    OR (state = 'done' AND credit_after_s IS NOT NULL AND spent_fen <> amount_fen)
