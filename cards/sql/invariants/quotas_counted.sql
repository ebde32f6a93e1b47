-- The counters of a Hand are its Draws, in the campaign and on the Hand's own day. A draw counts for the latest local day
-- that its hand had seen by then, which is not the draw's own where the database's clock went back over midnight.
WITH counted AS (
    SELECT h.campaign_id, h.player_id, u.place - 1 AS source, u.used, h.used_today[u.place] AS used_today, h.day
      FROM cards_hand h, unnest(h.used) WITH ORDINALITY AS u (used, place)
), dated AS (
    SELECT d.campaign_id, d.player_id, d.source,
           max((d.at AT TIME ZONE c.tz)::date) OVER (PARTITION BY d.campaign_id, d.player_id ORDER BY d.hand_version) AS day
      FROM cards_draw d JOIN fortunes_campaign c ON c.id = d.campaign_id
), drawn AS (
    SELECT d.campaign_id, d.player_id, d.source, count(*) AS used, count(*) FILTER (WHERE d.day = h.day) AS used_today
      FROM dated d
      JOIN cards_hand h ON h.campaign_id = d.campaign_id AND h.player_id = d.player_id
     GROUP BY d.campaign_id, d.player_id, d.source
)
SELECT k.campaign_id, k.player_id, k.source, k.used, d.used AS drawn, k.used_today, d.used_today AS drawn_today
  FROM counted k LEFT JOIN drawn d USING (campaign_id, player_id, source)
 WHERE k.used <> coalesce(d.used, 0) OR (k.day IS NOT NULL AND k.used_today <> coalesce(d.used_today, 0))
