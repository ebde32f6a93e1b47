-- Who is excluded must not change after the freeze: a settlement counts its winners first and pays them later, and both
-- must find the same. So an exclusion passes the gate, and only then, in a second statement, gets its time, whatever the
-- writer says. Either it has committed before the freeze is stamped, or it is stamped later than that and doesn't count;
-- later even if the clock has been set back meanwhile. A trigger, since every role that may insert can do it by hand.
CREATE FUNCTION fortunes_stamp_exclusion() RETURNS trigger
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    PERFORM fortunes_gate_lock(NEW.campaign_id);
    NEW.at := (
        SELECT greatest(fortunes_clock(), c.frozen_at + interval '1 microsecond')
          FROM fortunes_campaign c
         WHERE c.id = NEW.campaign_id
    );
    RETURN NEW;
END
$$;
