-- The ballots of proposals by option, from the shards: a hundred rows each, however many have voted. Options without a ballot
-- come with 0. The ORM can't join counts that have no relation to the options.
WITH looked AS MATERIALIZED (SELECT fortunes_clock() AS at)
SELECT p.id, p.public_id, p.campaign_id, p.opened_at, p.state, looked.at,
       array_agg(o.number ORDER BY o.number) AS options, array_agg(o.ballots ORDER BY o.number) AS ballots
  FROM looked, fortunes_proposal p,
       LATERAL (SELECT o.number,
                       (SELECT coalesce(sum(c.ballots), 0)::bigint FROM fortunes_ballotcount c
                         WHERE c.proposal_id = p.id AND c.option = o.number) AS ballots
                  FROM fortunes_option o WHERE o.proposal_id = p.id) o
 WHERE p.id = ANY (%(ids)s::bigint[]) OR p.public_id = ANY (%(public_ids)s::uuid[])
 GROUP BY p.id, looked.at
