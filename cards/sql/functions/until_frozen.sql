-- The look through the gate of what follows from a version of the rules: the clock, or null once the campaign is frozen. The
-- deadline doesn't end it, since the freeze waits for it; else as with `fortunes_gate_look`, after the locks.
CREATE FUNCTION cards_until_frozen(the_campaign bigint) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RETURN (SELECT fortunes_clock() FROM fortunes_campaign c WHERE c.id = the_campaign AND c.frozen_at IS NULL);
END
$$;
