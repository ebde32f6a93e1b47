-- The look through the gate: the clock, and what is in force. It comes after the gate's lock and after the locks on hands,
-- as a statement of its own with a snapshot of its own. In one statement with the lock the snapshot would be older than
-- it (measured: 27 late trades in 28 rounds). Before the locks on hands the day would be older than what they hold: a
-- scan that waited over midnight would count for yesterday, and give today's quota back.
--
-- verdict: 'live', 'early', 'frozen' (deadline or freeze) or 'missing'.
CREATE FUNCTION fortunes_gate_look(
    the_campaign bigint,
    OUT verdict text, OUT rulebook_version integer, OUT at timestamptz, OUT today date
)
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    at := fortunes_clock();
    SELECT CASE
               WHEN c.frozen_at IS NOT NULL OR at >= c.closes_at THEN 'frozen'
               WHEN c.opened_at IS NULL OR at < c.opens_at THEN 'early'
               ELSE 'live'
           END,
           (SELECT max(r.version) FROM fortunes_rulebook r WHERE r.campaign_id = c.id AND r.in_force_at <= at),
           (at AT TIME ZONE c.tz)::date
      INTO verdict, rulebook_version, today
      FROM fortunes_campaign c
     WHERE c.id = the_campaign;
    verdict := coalesce(verdict, 'missing');
END
$$;
