-- What a hand has been given today is what came by trades on the hand's own day: gifts, answers to requests, swaps. Nobody
-- was given more in a day than some rulebook of the campaign allows. A card counts for the latest local day that its
-- receiver had been given something on, which is not its own where the database's clock went back over midnight.
WITH given AS (
    SELECT x.campaign_id, x.receiver_id AS player_id,
           max((x.at AT TIME ZONE c.tz)::date) OVER (PARTITION BY x.campaign_id, x.receiver_id ORDER BY x.id) AS day
      FROM cards_transfer x
      JOIN fortunes_campaign c ON c.id = x.campaign_id
     WHERE x.trade_id IS NOT NULL
), daily AS (
    SELECT g.campaign_id, g.player_id, g.day, count(*) AS cards FROM given g GROUP BY g.campaign_id, g.player_id, g.day
), latest AS (
    SELECT DISTINCT ON (d.campaign_id, d.player_id) d.* FROM daily d ORDER BY d.campaign_id, d.player_id, d.day DESC
)
SELECT h.campaign_id, h.player_id, h.fed_day AS day, h.fed_today AS counted, l.cards AS given
  FROM cards_hand h LEFT JOIN latest l USING (campaign_id, player_id)
 WHERE h.fed_day IS DISTINCT FROM l.day OR h.fed_today <> coalesce(l.cards, 0)
UNION ALL
SELECT d.campaign_id, d.player_id, d.day, NULL, d.cards
  FROM daily d
 WHERE d.cards > (SELECT max(coalesce((r.rules -> 'trading' ->> 'received_per_day')::bigint, 100))
                    FROM fortunes_rulebook r WHERE r.campaign_id = d.campaign_id)
