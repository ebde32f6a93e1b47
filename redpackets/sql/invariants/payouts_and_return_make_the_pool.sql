-- Once sealed: all payouts and what was returned are the pool, and there is one payout per counted winner.
SELECT s.id AS settlement, s.amount_fen, s.returned_fen, s.winners, paid.payouts, paid.fen
  FROM redpackets_settlement s
 CROSS JOIN LATERAL (
        SELECT count(*) AS payouts, coalesce(sum(p.amount_fen), 0) AS fen
          FROM redpackets_payout p
         WHERE p.pool_id = s.pool_id
       ) paid
 WHERE s.sealed_at IS NOT NULL
   AND (paid.fen + s.returned_fen <> s.amount_fen OR paid.payouts <> s.winners)
