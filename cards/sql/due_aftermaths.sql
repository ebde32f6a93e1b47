-- For each campaign that isn't frozen, or for one of them, the first version of the rules whose aftermath isn't done. The later ones wait for it:
-- what one version gives another may take. From versions of the draft nothing follows: the opening has planned by the last of
-- them, and nobody had a card before.
SELECT DISTINCT ON (r.campaign_id) r.campaign_id, r.version
  FROM fortunes_campaign c
  JOIN fortunes_rulebook r ON r.campaign_id = c.id
 WHERE c.id = coalesce(%(campaign)s::bigint, c.id)
   AND c.frozen_at IS NULL AND r.version > 1 AND r.in_force_at >= c.opened_at AND r.in_force_at <= fortunes_clock()
   AND NOT EXISTS (SELECT 1 FROM cards_aftermath a
                    WHERE a.campaign_id = r.campaign_id AND a.version = r.version AND a.state = 'done')
 ORDER BY r.campaign_id, r.version
