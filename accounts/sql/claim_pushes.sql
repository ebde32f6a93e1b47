-- Pushes for one host app that are due, leased by putting their next try off. Workers at the same time take others, for
-- SKIP LOCKED. Materialised: as a mere subquery it may be run again for each row, and then takes more than its limit.
-- The clock is asked once: asked for each row, the index could not be told where to stop, and all that sleep would be read.
WITH due AS MATERIALIZED (
    SELECT id
      FROM accounts_push
     WHERE state = 'waiting' AND host = %(host)s AND next_try_at <= (SELECT fortunes_clock())
     ORDER BY next_try_at
     LIMIT %(batch)s
       FOR UPDATE SKIP LOCKED
)
UPDATE accounts_push p
   SET attempts = p.attempts + 1, next_try_at = fortunes_clock() + %(lease_s)s * interval '1 second'
  FROM due
 WHERE p.id = due.id
RETURNING p.id, p.public_id, p.player_id, p.host, p.after, p.upto, p.attempts, p.expires_at, fortunes_clock() AS at
