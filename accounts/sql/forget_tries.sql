-- Counts of tries that begin anew. Never waits: a row that is locked is being used again.
WITH old AS MATERIALIZED (
    SELECT subject
      FROM accounts_lockout
     WHERE ends_at < fortunes_clock()
     ORDER BY ends_at
     LIMIT %(batch)s
       FOR UPDATE SKIP LOCKED
)
DELETE FROM accounts_lockout t USING old WHERE t.subject = old.subject
