-- Messages that nobody needs any more, erased. Those that were given up have a dead letter already.
WITH late AS MATERIALIZED (
    SELECT id
      FROM accounts_message
     WHERE state = 'waiting' AND expires_at <= fortunes_clock()
     ORDER BY next_try_at
     LIMIT %(batch)s
       FOR UPDATE SKIP LOCKED
)
UPDATE accounts_message m
   SET state = 'expired', sealed = NULL
  FROM late
 WHERE m.id = late.id
RETURNING m.id
