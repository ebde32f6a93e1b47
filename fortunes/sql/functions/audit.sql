-- Append one entry to the audit's chain; its number. Entries are few and come one after the other: the advisory lock is held
-- until commit, and the newest entry is read in a statement of its own after it, so that nobody builds on an entry that
-- another is building on. The ORM can't read and insert under such a lock in one round trip.
CREATE FUNCTION fortunes_audit(
    the_actor bigint, the_action text, the_subject text, the_subject_id bigint, the_data jsonb
) RETURNS bigint
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    newest fortunes_auditentry;
    number bigint;
    moment timestamptz;
    before bytea;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('fortunes audit', 0));
    SELECT * INTO newest FROM fortunes_auditentry e ORDER BY e.seq DESC LIMIT 1;
    number := coalesce(newest.seq, 0) + 1;
    before := coalesce(newest.hash, decode(repeat('00', 32), 'hex'));
    moment := fortunes_clock();
    INSERT INTO fortunes_auditentry (seq, at, actor_id, action, subject, subject_id, data, hash)
    VALUES (number, moment, the_actor, the_action, the_subject, the_subject_id, the_data,
            fortunes_audit_hash(before, number, moment, the_actor, the_action, the_subject, the_subject_id, the_data));
    RETURN number;
END
$$;
