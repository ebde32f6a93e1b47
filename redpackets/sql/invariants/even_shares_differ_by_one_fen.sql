-- In even mode nobody gets more than one fen more than anybody else, and nothing at all where the remainder is returned.
SELECT p.pool_id, o.remainder, min(p.amount_fen) AS lowest_fen, max(p.amount_fen) AS highest_fen
  FROM redpackets_payout p
  JOIN redpackets_pool o ON o.id = p.pool_id
 WHERE o.mode = 'even'
 GROUP BY p.pool_id, o.remainder
HAVING max(p.amount_fen) - min(p.amount_fen) > CASE o.remainder WHEN 'share' THEN 1 ELSE 0 END
