-- Burying what is buried already only renews the reason. The ORM's upsert can't name a partial index.
INSERT INTO fortunes_deadletter (job, subject_id, error)
VALUES (%(job)s, %(subject)s, %(error)s)
ON CONFLICT (job, subject_id) WHERE outcome IS NULL DO UPDATE SET error = excluded.error, buried_at = excluded.buried_at
RETURNING id
