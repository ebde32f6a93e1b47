-- What a vote decides is in force when the hands are frozen: none that was to close by the deadline is undecided then, and
-- none has changed the rules since.
SELECT p.id, p.state, p.closes_at, c.frozen_at
  FROM fortunes_proposal p
  JOIN fortunes_campaign c ON c.id = p.campaign_id
 WHERE c.frozen_at IS NOT NULL
   AND ((p.state IN ('open', 'counting') AND p.closes_at <= c.closes_at)
        OR EXISTS (SELECT 1 FROM fortunes_rulebook r WHERE r.proposal_id = p.id AND r.in_force_at > c.frozen_at))
