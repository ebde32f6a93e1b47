-- Another round without a success. The longer it goes on the longer the host is left alone. The ORM's upserts compute nothing.
INSERT INTO accounts_pushhost AS h (host, failures, rests_until, failing_since, last_error)
SELECT %(host)s, 1, t.at + %(first_s)s * %(jitter)s * interval '1 second', t.at, %(reason)s
  FROM (SELECT fortunes_clock() AS at) t
ON CONFLICT (host) DO UPDATE
   SET failures = least(h.failures + 1, 1000),
       rests_until = excluded.failing_since + greatest(
           least(%(first_s)s * 2 ^ least(h.failures, 20), %(most_s)s) * %(jitter)s, %(asked_s)s) * interval '1 second',
       failing_since = coalesce(h.failing_since, excluded.failing_since),
       last_error = excluded.last_error
RETURNING failures, extract(epoch FROM fortunes_clock() - failing_since)::integer AS failing_s
