-- Every draw and every trade names the version of the rules that was in force at its instant.
WITH versions AS (
    SELECT r.campaign_id, r.version, r.in_force_at,
           lead(r.in_force_at) OVER (PARTITION BY r.campaign_id ORDER BY r.version) AS until
      FROM fortunes_rulebook r
)
SELECT d.campaign_id, 'draw' AS what, d.id AS row, d.rulebook_version, d.at
  FROM cards_draw d JOIN versions v ON v.campaign_id = d.campaign_id AND v.version = d.rulebook_version
 WHERE d.at < v.in_force_at OR d.at >= v.until
UNION ALL
SELECT t.campaign_id, 'trade', t.id, t.rulebook_version, t.created_at
  FROM cards_trade t JOIN versions v ON v.campaign_id = t.campaign_id AND v.version = t.rulebook_version
 WHERE t.created_at < v.in_force_at OR t.created_at >= v.until
