-- An opened campaign has its settlement, over its whole pool; one that is not opened has none. A frozen one was due when
-- its deadline was, however often that was moved.
SELECT c.id AS campaign, c.opened_at, o.id AS pool, s.id AS settlement
  FROM fortunes_campaign c
  LEFT JOIN redpackets_pool o ON o.campaign_id = c.id
  LEFT JOIN redpackets_settlement s ON s.pool_id = o.id
 WHERE (c.opened_at IS NOT NULL) <> (s.id IS NOT NULL)
    OR s.amount_fen <> o.amount_fen
    OR (s.frozen_at IS NOT NULL AND s.due_at < c.closes_at)
    OR (c.settled_at IS NOT NULL) <> (s.sealed_at IS NOT NULL)
