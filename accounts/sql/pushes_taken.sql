-- Hosts have taken these. One of which the lease has ended, and that another took over, is theirs to note.
UPDATE accounts_push p
   SET state = 'sent', sent_at = fortunes_clock()
  FROM unnest(%(ids)s::bigint[], %(attempts)s::smallint[]) AS t (id, attempts)
 WHERE p.id = t.id AND p.state = 'waiting' AND p.attempts = t.attempts
