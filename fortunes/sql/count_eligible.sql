-- Who may vote: who joined before the vote opened and was not excluded, or was so only after having voted.
SELECT count(*) AS eligible
  FROM fortunes_membership m
 WHERE m.campaign_id = %(campaign)s AND m.joined_at < %(opens_at)s
   AND (NOT EXISTS (SELECT 1 FROM fortunes_exclusion e WHERE e.campaign_id = m.campaign_id AND e.player_id = m.player_id)
        OR EXISTS (SELECT 1 FROM fortunes_ballot b WHERE b.player_id = m.player_id AND b.proposal_id = %(proposal)s))
