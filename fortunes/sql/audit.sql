SELECT fortunes_audit(%(actor)s::bigint, %(action)s::text, %(subject)s::text, %(subject_id)s::bigint, %(data)s::jsonb)
