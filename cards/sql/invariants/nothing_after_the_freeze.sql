-- No draw, transfer, play or trade that passed the gate at or after the deadline, or before the opening. After the freeze
-- no trade is closed either: what is open stays as it is. The freeze waits for what follows from a version of the rules: cards
-- are converted and trades voided after the deadline, too, and never after the freeze.
SELECT c.id, 'draw' AS what, d.id AS row, d.at FROM cards_draw d JOIN fortunes_campaign c ON c.id = d.campaign_id
 WHERE d.at >= c.closes_at OR d.at >= c.frozen_at OR d.at < c.opens_at OR c.opened_at IS NULL
UNION ALL
SELECT c.id, 'transfer', t.id, t.at FROM cards_transfer t JOIN fortunes_campaign c ON c.id = t.campaign_id
 WHERE (t.at >= c.closes_at AND t.conversion_id IS NULL) OR t.at >= c.frozen_at OR t.at < c.opens_at OR c.opened_at IS NULL
UNION ALL
SELECT c.id, 'play', p.id, p.at FROM cards_play p JOIN fortunes_campaign c ON c.id = p.campaign_id
 WHERE p.at >= c.closes_at OR p.at >= c.frozen_at OR p.at < c.opens_at OR c.opened_at IS NULL
UNION ALL
SELECT c.id, 'trade', t.id, coalesce(t.closed_at, t.created_at)
  FROM cards_trade t JOIN fortunes_campaign c ON c.id = t.campaign_id
 WHERE t.created_at >= c.closes_at OR (t.closed_at >= c.closes_at AND t.state <> 'voided')
    OR greatest(t.created_at, t.closed_at) >= c.frozen_at
    OR t.created_at < c.opens_at OR c.opened_at IS NULL OR t.expires_at > c.closes_at
UNION ALL
SELECT c.id, 'conversion', v.id, v.at FROM cards_conversion v JOIN fortunes_campaign c ON c.id = v.campaign_id
 WHERE v.at >= c.frozen_at OR c.opened_at IS NULL
