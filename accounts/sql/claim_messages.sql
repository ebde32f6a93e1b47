-- Messages that are due, leased by putting their next try off. Workers at the same time take others, for SKIP LOCKED.
-- Materialised: as a mere subquery it may be run again for each row, and then takes more than its limit.
WITH due AS MATERIALIZED (
    SELECT id
      FROM accounts_message
     WHERE state = 'waiting' AND next_try_at <= fortunes_clock() AND expires_at > fortunes_clock()
     ORDER BY next_try_at
     LIMIT %(batch)s
       FOR UPDATE SKIP LOCKED
)
UPDATE accounts_message m
   SET attempts = m.attempts + 1, next_try_at = fortunes_clock() + %(lease_s)s * interval '1 second'
  FROM due
 WHERE m.id = due.id
RETURNING m.id, m.public_id, m.sealed, m.seal_key_id, m.attempts
