-- An announced change has made one version of the rules or none, and one exactly since it is in force: not before its date.
-- What was struck or has become impossible has made none.
SELECT a.id, a.takes_force_at, a.applied_at, made.versions
  FROM fortunes_amendment a
 CROSS JOIN LATERAL (SELECT count(*) AS versions,
                            count(*) FILTER (WHERE r.campaign_id = a.campaign_id AND r.in_force_at = a.applied_at
                                               AND r.in_force_at >= a.takes_force_at AND r.reason = 'staff') AS fitting
                       FROM fortunes_rulebook r WHERE r.amendment_id = a.id) made
 WHERE made.versions <> CASE WHEN a.applied_at IS NULL THEN 0 ELSE 1 END
    OR made.fitting <> made.versions
    OR (a.impossible IS NOT NULL AND a.applied_at IS NOT NULL)
