-- Host apps' tokens that have expired, a batch of them: they are refused for that now.
-- The ORM has neither LIMIT in a DELETE nor SKIP LOCKED in one. Materialized: a subquery of a join may be run again, and
-- would then lock and delete more than the batch.
WITH expired AS MATERIALIZED (
    SELECT digest FROM accounts_spenttoken
     WHERE expires_at < fortunes_clock()
     ORDER BY expires_at
     LIMIT %(batch)s
       FOR UPDATE SKIP LOCKED
)
DELETE FROM accounts_spenttoken USING expired WHERE accounts_spenttoken.digest = expired.digest
