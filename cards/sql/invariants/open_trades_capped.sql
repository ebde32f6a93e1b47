-- Nobody ever had more trades open than some rulebook of the campaign allows, or more links, or made more of them in a day.
WITH limits AS (
    SELECT r.campaign_id,
           max(coalesce((r.rules -> 'trading' ->> 'open_trades')::bigint, 20)) AS open_trades,
           max(coalesce((r.rules -> 'trading' ->> 'open_links')::bigint, 10)) AS open_links,
           max(coalesce((r.rules -> 'trading' ->> 'links_per_day')::bigint, 20)) AS links_per_day,
           max(coalesce((r.rules -> 'trading' ->> 'proposals_per_day')::bigint, 200)) AS proposals_per_day
      FROM fortunes_rulebook r GROUP BY r.campaign_id
), steps AS (
    SELECT t.campaign_id, t.proposer_id, t.audience, t.created_at AS at, 1 AS step
      FROM cards_trade t WHERE t.expires_at IS NOT NULL
    UNION ALL
    SELECT t.campaign_id, t.proposer_id, t.audience, least(t.closed_at, t.expires_at), -1
      FROM cards_trade t WHERE t.expires_at IS NOT NULL
), opened AS (
    -- At one instant those that close come first.
    SELECT s.campaign_id, s.proposer_id,
           sum(s.step) OVER so_far AS trades, sum(s.step) FILTER (WHERE s.audience = 'link') OVER so_far AS links
      FROM steps s
    WINDOW so_far AS (PARTITION BY s.campaign_id, s.proposer_id ORDER BY s.at, s.step ROWS UNBOUNDED PRECEDING)
)
SELECT o.campaign_id, o.proposer_id, max(o.trades) AS open_trades, max(o.links) AS open_links,
       NULL::bigint AS links_that_day, NULL::bigint AS trades_that_day
  FROM opened o JOIN limits l ON l.campaign_id = o.campaign_id
 GROUP BY o.campaign_id, o.proposer_id, l.open_trades, l.open_links
HAVING max(o.trades) > l.open_trades OR max(o.links) > l.open_links
UNION ALL
SELECT s.campaign_id, s.player_id, NULL, NULL, count(*), NULL
  FROM cards_sharelink s
  JOIN fortunes_campaign c ON c.id = s.campaign_id
  JOIN limits l ON l.campaign_id = s.campaign_id
 GROUP BY s.campaign_id, s.player_id, (s.created_at AT TIME ZONE c.tz)::date, l.links_per_day
HAVING count(*) > l.links_per_day
UNION ALL
SELECT t.campaign_id, t.proposer_id, NULL, NULL, NULL, count(*)
  FROM cards_trade t
  JOIN fortunes_campaign c ON c.id = t.campaign_id
  JOIN limits l ON l.campaign_id = t.campaign_id
 WHERE t.expires_at IS NOT NULL
 GROUP BY t.campaign_id, t.proposer_id, (t.created_at AT TIME ZONE c.tz)::date, l.proposals_per_day
HAVING count(*) > l.proposals_per_day
