-- The result of a closed vote is its ballots: how many, for what, and the hash of their leaves in ascending order (of up
-- to twenty million, which fit into one value).
SELECT p.id, p.cast, b.ballots, p.eligible
  FROM fortunes_proposal p,
       LATERAL (SELECT count(*) AS ballots,
                       CASE WHEN count(*) <= 20000000
                            THEN sha256(coalesce(string_agg(b.leaf, '' ORDER BY b.leaf), '')) ELSE p.ballots_hash END AS hash
                  FROM fortunes_ballot b WHERE b.proposal_id = p.id) b
 WHERE p.state = 'closed' AND (p.cast <> b.ballots OR p.ballots_hash <> b.hash OR p.cast > p.eligible)
UNION ALL
SELECT p.id, o.ballots, (SELECT count(*) FROM fortunes_ballot b WHERE b.proposal_id = p.id AND b.option = o.number), o.number
  FROM fortunes_proposal p
  JOIN fortunes_option o ON o.proposal_id = p.id
 WHERE p.state = 'closed'
   AND o.ballots <> (SELECT count(*) FROM fortunes_ballot b WHERE b.proposal_id = p.id AND b.option = o.number)
