-- What was adopted is done, once, and nothing else is: the version of the rules that the winning option makes, from the
-- close on, and the announced change that it strikes.
SELECT p.id, p.outcome, r.versions, a.struck
  FROM fortunes_proposal p
  LEFT JOIN fortunes_option o ON o.proposal_id = p.id AND o.number = p.winner AND p.outcome = 'adopted'
 CROSS JOIN LATERAL (SELECT count(*) AS versions,
                            count(*) FILTER (WHERE r.reason <> 'vote' OR r.campaign_id <> p.campaign_id
                                                OR r.in_force_at < p.counting_at) AS others
                       FROM fortunes_rulebook r WHERE r.proposal_id = p.id) r
 CROSS JOIN LATERAL (SELECT array_agg(a.id) AS struck FROM fortunes_amendment a WHERE a.struck_by_id = p.id) a
 WHERE r.versions <> CASE WHEN o.changes <> '{}' THEN 1 ELSE 0 END
    OR r.others > 0
    OR a.struck IS DISTINCT FROM CASE WHEN o.strikes_id IS NOT NULL THEN ARRAY[o.strikes_id] END
UNION ALL
SELECT NULL, 'vote', count(*), NULL
  FROM fortunes_rulebook r
 WHERE r.reason = 'vote' AND r.proposal_id IS NULL
HAVING count(*) > 0
