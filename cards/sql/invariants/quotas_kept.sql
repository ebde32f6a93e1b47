-- Nobody has more draws of a source than the rulebook of their last draw allows, per local day and in all. A draw counts for
-- the latest local day that its hand had seen by then (see quotas_counted).
WITH dated AS (
    SELECT d.campaign_id, d.player_id, d.source, d.rulebook_version,
           max((d.at AT TIME ZONE c.tz)::date) OVER (PARTITION BY d.campaign_id, d.player_id ORDER BY d.hand_version) AS day
      FROM cards_draw d JOIN fortunes_campaign c ON c.id = d.campaign_id
)
SELECT d.campaign_id, d.player_id, d.source, d.day, count(*) AS used
  FROM dated d
  JOIN cards_source s ON s.campaign_id = d.campaign_id AND s.ordinal = d.source
  JOIN fortunes_rulebook r ON r.campaign_id = d.campaign_id AND r.version = d.rulebook_version
 GROUP BY GROUPING SETS ((d.campaign_id, d.player_id, d.source, s.slug, d.day), (d.campaign_id, d.player_id, d.source, s.slug))
HAVING count(*) > CASE WHEN GROUPING(d.day) = 0
                       THEN max((r.rules -> 'quotas' -> s.slug ->> 'per_day')::bigint)
                       ELSE max((r.rules -> 'quotas' -> s.slug ->> 'per_campaign')::bigint) END
