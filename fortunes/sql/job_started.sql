INSERT INTO fortunes_job (name, started_at)
VALUES (%(name)s, fortunes_clock())
ON CONFLICT (name) DO UPDATE SET started_at = excluded.started_at
