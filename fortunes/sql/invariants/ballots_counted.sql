-- The counts are the ballots, shard by shard, so the tally that players watch is their sum at every moment.
SELECT coalesce(c.proposal_id, b.proposal_id) AS proposal_id, coalesce(c.option, b.option) AS option,
       coalesce(c.shard, b.shard) AS shard, coalesce(c.ballots, 0) AS counted, coalesce(b.ballots, 0) AS cast_
  FROM fortunes_ballotcount c
  FULL JOIN (SELECT proposal_id, option, (player_id % 64)::smallint AS shard, count(*) AS ballots
               FROM fortunes_ballot GROUP BY 1, 2, 3) b
    ON b.proposal_id = c.proposal_id AND b.option = c.option AND b.shard = c.shard
 WHERE coalesce(c.ballots, 0) <> coalesce(b.ballots, 0)
