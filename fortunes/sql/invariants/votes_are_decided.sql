-- The outcome of a vote follows from its counts: the quorum, a first place of its own, more than the threshold. Only what
-- was adopted has a winner.
SELECT d.id, d.outcome, d.winner, d.due
  FROM (SELECT p.id, p.outcome, p.winner, f.number,
               CASE WHEN t.ballots = 0 OR t.ballots < p.quorum THEN 'no-quorum'
                    WHEN f.places > 1 THEN 'tie'
                    WHEN t.most * 10000 <= p.threshold_bp * t.ballots THEN 'below-threshold'
                    ELSE 'adopted' END AS due
          FROM fortunes_proposal p
         CROSS JOIN LATERAL (SELECT coalesce(sum(o.ballots), 0) AS ballots, max(o.ballots) AS most
                               FROM fortunes_option o WHERE o.proposal_id = p.id) t
         CROSS JOIN LATERAL (SELECT count(*) AS places, min(o.number) AS number
                               FROM fortunes_option o WHERE o.proposal_id = p.id AND o.ballots = t.most) f
         WHERE p.state = 'closed') d
 WHERE d.due <> CASE d.outcome WHEN 'impossible' THEN 'adopted' ELSE d.outcome END
    OR d.winner IS DISTINCT FROM CASE d.outcome WHEN 'adopted' THEN d.number END
