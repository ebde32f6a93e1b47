-- How long ago beat rang is told, not when: its host's clock may be wrong. A row that is missing is made.
INSERT INTO fortunes_job (name, rung_at)
SELECT rung.name, fortunes_clock() - make_interval(secs => rung.ago_s)
  FROM unnest(%(names)s::text[], %(ago_s)s::float8[]) AS rung (name, ago_s)
 ORDER BY rung.name
ON CONFLICT (name) DO UPDATE SET rung_at = greatest(fortunes_job.rung_at, excluded.rung_at)
