-- Who may vote: who joined before the vote opened and was not excluded, or was so only after having voted. Excluded are few: they
-- are counted by themselves, since asking for each of millions whether they are takes as long as counting the ballots.
SELECT (SELECT count(*) FROM fortunes_membership m
         WHERE m.campaign_id = %(campaign)s AND m.joined_at < %(opens_at)s)
     - (SELECT count(*) FROM fortunes_exclusion e
          JOIN fortunes_membership m ON m.player_id = e.player_id AND m.campaign_id = e.campaign_id
         WHERE e.campaign_id = %(campaign)s AND m.joined_at < %(opens_at)s
           AND NOT EXISTS (SELECT 1 FROM fortunes_ballot b
                            WHERE b.player_id = e.player_id AND b.proposal_id = %(proposal)s)) AS eligible
