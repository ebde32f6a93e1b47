-- The whole schedule in one statement; the ORM has no upsert of many rows that deletes the others as well.
WITH others AS (
    DELETE FROM fortunes_job WHERE name <> ALL (%(names)s::text[])
)
INSERT INTO fortunes_job (name, interval_s)
SELECT * FROM unnest(%(names)s::text[], %(intervals)s::float8[]) AS job (name, interval_s)
 ORDER BY job.name
ON CONFLICT (name) DO UPDATE SET interval_s = excluded.interval_s
