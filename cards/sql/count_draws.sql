-- Add a span of draws to the counts of their minutes and to the totals. In the order of the unique keys, as everything that
-- writes many rows.
WITH fresh AS (
    SELECT d.campaign_id, date_trunc('minute', d.at, 'UTC') AS minute, d.source, d.kind, count(*) AS draws
      FROM cards_draw d
     WHERE d.id > %(after)s AND d.id <= %(upto)s
     GROUP BY d.campaign_id, date_trunc('minute', d.at, 'UTC'), d.source, d.kind
), minutes AS (
    INSERT INTO cards_drawcount AS c (campaign_id, minute, source, kind, draws)
    SELECT f.campaign_id, f.minute, f.source, f.kind, f.draws FROM fresh f
     ORDER BY f.campaign_id, f.minute, f.source, f.kind
    ON CONFLICT (campaign_id, minute, source, kind) DO UPDATE SET draws = c.draws + excluded.draws
)
INSERT INTO cards_drawtotal AS t (campaign_id, source, kind, draws)
SELECT f.campaign_id, f.source, f.kind, sum(f.draws) FROM fresh f
 GROUP BY f.campaign_id, f.source, f.kind
 ORDER BY f.campaign_id, f.source, f.kind
ON CONFLICT (campaign_id, source, kind) DO UPDATE SET draws = t.draws + excluded.draws
