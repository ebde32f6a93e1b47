-- Versions count from 1 without a gap, and a later version never took force before an earlier one.
SELECT campaign_id, version, in_force_at
  FROM (SELECT r.*, row_number() OVER w AS nth, lag(r.in_force_at) OVER w AS before
          FROM fortunes_rulebook r WINDOW w AS (PARTITION BY r.campaign_id ORDER BY r.version)) r
 WHERE r.version <> r.nth OR r.in_force_at < r.before
