-- No draw, transfer or trade that passed the gate at or after the deadline, or before the opening.
SELECT c.id, 'draw' AS what, d.id AS row, d.at FROM cards_draw d JOIN fortunes_campaign c ON c.id = d.campaign_id
 WHERE d.at >= c.closes_at OR d.at >= c.frozen_at OR d.at < c.opens_at OR c.opened_at IS NULL
UNION ALL
SELECT c.id, 'transfer', t.id, t.at FROM cards_transfer t JOIN fortunes_campaign c ON c.id = t.campaign_id
 WHERE t.at >= c.closes_at OR t.at >= c.frozen_at OR t.at < c.opens_at OR c.opened_at IS NULL
