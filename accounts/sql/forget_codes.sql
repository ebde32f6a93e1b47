-- Codes whose day is over; they count how many were asked for in it. Never waits: a row that is locked is being used again.
WITH old AS MATERIALIZED (
    SELECT id
      FROM accounts_phonecode
     WHERE asked_at < fortunes_clock() - interval '25 hours'
     ORDER BY asked_at
     LIMIT %(batch)s
       FOR UPDATE SKIP LOCKED
)
DELETE FROM accounts_phonecode t USING old WHERE t.id = old.id
