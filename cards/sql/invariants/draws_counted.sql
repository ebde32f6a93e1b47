-- The counts by minute are the draws, as far as they have been counted; and the totals are the sums of the counts.
WITH mark AS (
    SELECT coalesce(max(r.last_id), 0) AS last_id FROM cards_drawreader r WHERE r.name = 'counts'
), drawn AS (
    SELECT d.campaign_id, date_trunc('minute', d.at, 'UTC') AS minute, d.source, d.kind, count(*) AS draws
      FROM cards_draw d, mark WHERE d.id <= mark.last_id
     GROUP BY d.campaign_id, date_trunc('minute', d.at, 'UTC'), d.source, d.kind
), summed AS (
    SELECT c.campaign_id, c.source, c.kind, sum(c.draws) AS draws
      FROM cards_drawcount c GROUP BY c.campaign_id, c.source, c.kind
)
SELECT campaign_id, minute, source, kind, d.draws AS drawn, c.draws AS counted
  FROM drawn d FULL JOIN cards_drawcount c USING (campaign_id, minute, source, kind)
 WHERE d.draws IS DISTINCT FROM c.draws
UNION ALL
SELECT campaign_id, NULL, source, kind, s.draws, t.draws
  FROM summed s FULL JOIN cards_drawtotal t USING (campaign_id, source, kind)
 WHERE s.draws IS DISTINCT FROM t.draws
