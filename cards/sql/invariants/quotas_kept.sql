-- Nobody has more scans of a source than the rulebook of their last draw allows, per local day and in all.
SELECT d.campaign_id, d.player_id, d.source, (d.at AT TIME ZONE c.tz)::date AS day, count(*) AS used
  FROM cards_draw d
  JOIN fortunes_campaign c ON c.id = d.campaign_id
  JOIN cards_source s ON s.campaign_id = d.campaign_id AND s.ordinal = d.source
  JOIN fortunes_rulebook r ON r.campaign_id = d.campaign_id AND r.version = d.rulebook_version
 GROUP BY GROUPING SETS (
     (d.campaign_id, d.player_id, d.source, s.slug, (d.at AT TIME ZONE c.tz)::date), (d.campaign_id, d.player_id, d.source, s.slug))
HAVING count(*) > CASE WHEN GROUPING((d.at AT TIME ZONE c.tz)::date) = 0
                       THEN max((r.rules -> 'quotas' -> s.slug ->> 'per_day')::bigint)
                       ELSE max((r.rules -> 'quotas' -> s.slug ->> 'per_campaign')::bigint) END
