-- Sessions that expired a day ago. Never waits: a row that is locked is being used again.
WITH old AS MATERIALIZED (
    SELECT id
      FROM accounts_refreshfamily
     WHERE expires_at < fortunes_clock() - interval '1 day'
     ORDER BY expires_at
     LIMIT %(batch)s
       FOR UPDATE SKIP LOCKED
)
DELETE FROM accounts_refreshfamily t USING old WHERE t.id = old.id
