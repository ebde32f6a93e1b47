-- Whether a card may be stolen, and which; part of `cards_play`, under the gate and the locks on both hands. The count of
-- steals is a statement after those locks, so of steals made at once each sees the ones before it.
--
-- `limits` are those of the rulebook, `cooling_h` too: who robs a new account would else carry its cards to an older one.
-- `wanted` is a kind, or null for a random double: one of the `fortunes` that the victim holds twice or more, which the
-- roll decides by place = (roll * how many) >> 64 (cards/draws.py). The roll belongs to the `the_number`-th steal of this
-- player; if it isn't that one's turn, nothing is judged. Cards in escrow are promised to somebody: they are never stolen,
-- and don't make a last card any less the last.
--
-- A day is a local one, and what the thief did on a later day than `today` counts too: a clock that goes back gives no
-- steals back.
--
-- `status` is null if it may be done, or else steal-limit, pair-limit, player-protected (`until` says how long), friend-lacks-card,
-- last-card-spared, no-doubles, stale-number.
CREATE FUNCTION cards_judge_steal(
    the_campaign bigint, thief bigint, victim bigint, robbed cards_hand, at timestamptz, today date,
    limits jsonb, cooling_h integer, wanted smallint, fortunes smallint[], the_number integer, roll numeric,
    OUT status text, OUT kind smallint, OUT among smallint[], OUT number integer, OUT until timestamptz
)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    done record;
    doubles smallint[];
BEGIN
    SELECT count(*) AS ever,
           count(*) FILTER (WHERE (p.at AT TIME ZONE c.tz)::date >= today) AS of_today,
           count(*) FILTER (WHERE (p.at AT TIME ZONE c.tz)::date >= today AND p.friend_id = victim) AS of_pair
      INTO done
      FROM cards_play p
      JOIN fortunes_campaign c ON c.id = p.campaign_id
     WHERE p.player_id = thief AND p.campaign_id = the_campaign AND p.type = 'steal';
    number := done.ever + 1;
    until := greatest(robbed.robbed_at + make_interval(hours => (limits ->> 'protection_h')::integer),
                      cards_cooling_until(victim, cooling_h, at));
    doubles := ARRAY(SELECT f.kind FROM unnest(fortunes) AS f (kind) WHERE robbed.counts[f.kind + 1] > 1 ORDER BY f.kind);
    status := CASE
        WHEN done.of_today >= (limits ->> 'per_day')::integer THEN 'steal-limit'
        WHEN done.of_pair >= (limits ->> 'per_pair_per_day')::integer THEN 'pair-limit'
        WHEN until > at THEN 'player-protected'
        WHEN wanted IS NULL AND doubles = '{}' THEN 'no-doubles'
        WHEN wanted IS NULL AND the_number IS DISTINCT FROM number THEN 'stale-number'
        WHEN wanted IS NOT NULL AND coalesce(robbed.counts[wanted + 1], 0) = 0 THEN 'friend-lacks-card'
        WHEN robbed.counts[wanted + 1] = 1 AND (limits ->> 'spares_last')::boolean THEN 'last-card-spared' END;
    kind := wanted;
    IF status IS NULL AND wanted IS NULL THEN
        among := doubles;
        kind := doubles[1 + div(roll * cardinality(doubles), 18446744073709551616)::integer];
    END IF;
END
$$;
