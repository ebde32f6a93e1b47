-- Two workers may end the same job in either order: the newest success counts, and ends the row of failures.
INSERT INTO fortunes_job (name, finished_at)
VALUES (%(name)s, fortunes_clock())
ON CONFLICT (name) DO UPDATE SET finished_at = excluded.finished_at, failures = 0, last_error = ''
