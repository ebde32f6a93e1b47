-- What another worker has claimed is left to it; what it has decided meanwhile waits no more.
SELECT c.id, c.invited_id AS invited, c.inviter_id AS inviter FROM cards_invitationcredit c
 WHERE c.id = ANY (%(ids)s) AND c.state = 'waiting' AND c.due_at <= fortunes_clock()
 ORDER BY c.id
   FOR UPDATE SKIP LOCKED
