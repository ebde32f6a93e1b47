INSERT INTO fortunes_job (name, failures, last_error)
VALUES (%(name)s, 1, %(error)s)
ON CONFLICT (name) DO UPDATE SET failures = fortunes_job.failures + 1, last_error = excluded.last_error
