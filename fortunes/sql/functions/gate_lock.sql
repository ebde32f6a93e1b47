-- The gate: whoever changes cards or votes takes the campaign's advisory lock shared, before every other lock; who freezes
-- or changes a rule takes it exclusive (fortunes/gate.py). The ORM has no advisory locks.
CREATE FUNCTION fortunes_gate_lock(the_campaign bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(5525, the_campaign::integer);
END
$$;
