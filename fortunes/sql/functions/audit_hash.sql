-- The hash of one audit entry: SHA-256 of the previous entry's hash and of its own columns as one JSON array. jsonb has one
-- way of writing a value (sorted keys, no double ones), and the instant is counted in microseconds, so that no setting of
-- a session changes the text. In SQL, because both who writes and who checks must build the very same bytes.
CREATE FUNCTION fortunes_audit_hash(
    previous bytea, seq bigint, at timestamptz, actor bigint, action text, subject text, subject_id bigint, data jsonb
) RETURNS bytea
LANGUAGE sql STABLE
AS $$
    SELECT sha256(previous || convert_to(
        jsonb_build_array(
            seq, (extract(epoch FROM at) * 1000000)::bigint, actor, action, subject, subject_id, data
        )::text, 'UTF8'))
$$;
