-- The live campaigns, of which there are few, that have a trade to expire. What was open at a freeze stays so for good, and
-- would be looked at for ever by whoever began with the trades.
SELECT c.id FROM fortunes_campaign c
 WHERE c.opened_at IS NOT NULL AND c.frozen_at IS NULL AND c.closes_at > fortunes_clock()
   AND EXISTS (SELECT 1 FROM cards_trade t
                WHERE t.campaign_id = c.id AND t.state = 'open' AND t.expires_at <= fortunes_clock())
 ORDER BY c.id
