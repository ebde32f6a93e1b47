-- Credits to look at, the longest due first: one for an inviter, since a player comes at most once in a list of draws.
SELECT DISTINCT ON (w.campaign_id, w.inviter_id) w.campaign_id, w.id
  FROM (SELECT c.campaign_id, c.inviter_id, c.id, c.due_at FROM cards_invitationcredit c
         WHERE c.state = 'waiting' AND c.due_at <= fortunes_clock()
         ORDER BY c.due_at
         LIMIT %(most)s) w
 ORDER BY w.campaign_id, w.inviter_id, w.due_at, w.id
