-- The chunks of a settlement cover its players once, and their figures add up to the settlement's.
WITH chunk AS (
    SELECT c.*, lag(c.high) OVER (PARTITION BY c.settlement_id ORDER BY c.number) AS high_before
      FROM redpackets_settlementchunk c
), total AS (
    SELECT c.settlement_id, sum(c.winners) AS winners, sum(c.weight) AS weight, sum(c.pot_fen) AS pots_fen,
           sum(c.prizes_fen) AS prizes_fen,
           bool_and(c.posted_at IS NOT NULL) AS posted
      FROM chunk c
     GROUP BY c.settlement_id
)
SELECT c.settlement_id, 'chunks overlap' AS fault FROM chunk c WHERE c.low <= c.high_before
UNION ALL
SELECT s.id, 'sums differ'
  FROM redpackets_settlement s
  LEFT JOIN total t ON t.settlement_id = s.id
 WHERE s.sealed_at IS NOT NULL
   AND (coalesce(t.winners, 0) <> s.winners
        OR coalesce(t.weight, 0) <> s.weight
        OR coalesce(t.pots_fen, 0) <> s.share_fen
        OR coalesce(t.prizes_fen, 0) <> s.prizes_fen
        OR NOT coalesce(t.posted, true)
        OR s.minimum_fen * s.winners + s.prizes_fen + s.share_fen + s.returned_fen <> s.amount_fen
        OR EXISTS (SELECT FROM redpackets_contender r WHERE r.settlement_id = s.id))
