-- No ballot before its vote opened or after it closed, and none after the season's deadline: both pass the gate.
SELECT b.id, b.proposal_id, b.at, p.state
  FROM fortunes_ballot b
  LEFT JOIN fortunes_proposal p ON p.id = b.proposal_id
  LEFT JOIN fortunes_campaign c ON c.id = p.campaign_id
 WHERE p.opened_at IS NULL OR b.at < p.opens_at OR b.at >= least(p.closes_at, p.counting_at, p.cancelled_at)
    OR b.at < c.opens_at OR b.at >= least(c.closes_at, c.frozen_at)
