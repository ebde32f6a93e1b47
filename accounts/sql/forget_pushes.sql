-- Pushes of yesterday: what waits so long is worth nothing. Never waits: a row that is locked is being used again.
WITH old AS MATERIALIZED (
    SELECT id
      FROM accounts_push
     WHERE created_at < (SELECT fortunes_clock()) - interval '1 day'
     ORDER BY created_at
     LIMIT %(batch)s
       FOR UPDATE SKIP LOCKED
)
DELETE FROM accounts_push t USING old WHERE t.id = old.id
