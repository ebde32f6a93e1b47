-- One ballot a player and proposal; also where the constraint that says so has been lost.
SELECT proposal_id, player_id, count(*) AS ballots FROM fortunes_ballot GROUP BY proposal_id, player_id HAVING count(*) > 1
