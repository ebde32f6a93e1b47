-- Host apps' tokens that have expired, a batch of them: they are refused for that now.
-- The ORM has neither LIMIT in a DELETE nor SKIP LOCKED in one.
DELETE FROM accounts_spenttoken
 WHERE digest IN (SELECT digest FROM accounts_spenttoken
                   WHERE expires_at < fortunes_clock()
                   ORDER BY expires_at
                   LIMIT %(batch)s
                     FOR UPDATE SKIP LOCKED)
