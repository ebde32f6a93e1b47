DELETE FROM fortunes_idempotencykey
 WHERE id IN (SELECT id FROM fortunes_idempotencykey
               WHERE at < fortunes_clock() - interval '48 hours'
               ORDER BY at
               LIMIT %(batch)s)
