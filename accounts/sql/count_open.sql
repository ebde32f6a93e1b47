-- One more open of a link, unless somebody counts one right now: nobody who follows a link waits for its row.
-- The ORM has no SKIP LOCKED in an UPDATE.
UPDATE accounts_invitationlink
   SET opens = opens + 1
 WHERE id = (SELECT l.id FROM accounts_invitationlink l WHERE l.id = %(link)s FOR NO KEY UPDATE SKIP LOCKED)
