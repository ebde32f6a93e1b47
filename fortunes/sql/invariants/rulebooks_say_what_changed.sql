-- What a version says that it has changed is in its rules, and what it says was there before in those of the version before,
-- unless that left it to the default. A version that says nothing of the deadline has left it where it was.
WITH versions AS (
    SELECT r.*, lag(r.rules) OVER (PARTITION BY r.campaign_id ORDER BY r.version) AS former FROM fortunes_rulebook r
), said AS (
    SELECT v.campaign_id, v.version, v.rules, v.former, change ->> 'path' AS path,
           change -> 'before' AS before, change -> 'after' AS after,
           string_to_array(substr(change ->> 'path', 2), '/') AS place
      FROM versions v CROSS JOIN LATERAL jsonb_array_elements(v.changes) AS change
)
SELECT s.campaign_id, s.version, s.path, s.before, s.after
  FROM said s
 WHERE s.former #> s.place <> s.before OR coalesce(s.rules #> s.place, 'null') <> s.after
UNION ALL
SELECT v.campaign_id, v.version, '/extension_min', v.former -> 'extension_min', v.rules -> 'extension_min'
  FROM versions v
 WHERE coalesce(v.former -> 'extension_min', '0') <> coalesce(v.rules -> 'extension_min', '0') AND v.version > 1
   AND NOT v.changes @> '[{"path": "/extension_min"}]'
