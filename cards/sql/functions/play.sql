-- The play of a special card in one round trip, for the reasons of `cards_give`: a steal card takes a card of a friend's, a wild
-- card is turned into a kind that its player hasn't got, a copy card copies a kind of a friend's, who keeps theirs. One
-- function, since all three consume a card, gain one, and are refused for the same reasons.
--
-- Locks, in the one order: gate (shared), hands in ascending player id, friendship, feeds. The player's own hand is also
-- what a concurrent duplicate waits for, as in `cards_give`. The friend's hand is locked for a copy too: what it shows
-- is then true until the copy has committed.
--
-- `allowed` is what `the_version` of the rulebook says of this type. It is believed only if that version is in force, which
-- the gate decides: a play either commits under a rule that allows it, before the change, or is judged by the new one.
-- `special` is the ordinal of the card that is played, `wanted` that of the kind to be gained (null: a random double),
-- `fortunes` are those that can be stolen, `slugs` the names of all kinds. `full_set`, `wild`, `stealing` and `cooling_h` are of
-- that version too. `told` and `news` are the types and payloads of the events, for the player and then for the friend if
-- they lose a card; what only this function knows is added to the payloads. `players` have news, up to `seqs`.
--
-- Statuses: played, replayed, key-reused, early, frozen, missing, stale-rulebook, rule-forbids, friend-not-found, card-not-held
-- (the special one), kind-held (a wild card stands for a missing kind), friend-lacks-card, hand-full, steal-limit, pair-limit,
-- player-protected, last-card-spared, no-doubles, stale-number (these by `cards_judge_steal`).
CREATE FUNCTION cards_play(
    the_campaign bigint, the_version integer, full_set smallint[], wild smallint, stealing jsonb, cooling_h integer,
    the_type text, allowed boolean, special smallint, the_player bigint, friend_public uuid,
    wanted smallint, fortunes smallint[], slugs text[], the_number integer, roll numeric,
    the_route text, the_key text, the_body_hash bytea, the_play uuid, told text[], news jsonb[],
    OUT status text, OUT facts text, OUT today date, OUT until timestamptz, OUT players bigint[], OUT seqs bigint[]
)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET jit = off
SET lock_timeout = '1s'
AS $$
DECLARE
    gate record;
    gained record;
    friend bigint;
    play_id bigint;
    pair cards_hand[];
    mine cards_hand;
    theirs cards_hand;
BEGIN
    PERFORM fortunes_gate_lock(the_campaign);
    friend := cards_find_friend(the_player, friend_public);
    pair := cards_lock_pair(the_campaign, the_player, friend);
    mine := pair[1];
    theirs := pair[2];
    SELECT * INTO status, facts FROM cards_first_answer(the_player, the_route, the_key, the_body_hash);
    IF status IS NOT NULL THEN
        RETURN;
    END IF;

    SELECT * INTO gate FROM fortunes_gate_look(the_campaign);
    today := gate.today;
    status := CASE WHEN gate.verdict <> 'live' THEN gate.verdict
                   WHEN gate.rulebook_version IS DISTINCT FROM the_version THEN 'stale-rulebook'
                   WHEN NOT allowed THEN 'rule-forbids'
                   WHEN the_type <> 'wild' AND (friend IS NULL OR NOT accounts_share_friendship(the_player, friend))
                       THEN 'friend-not-found'
                   WHEN coalesce(mine.counts[special + 1], 0) = 0 THEN 'card-not-held'
                   WHEN the_type = 'wild' AND mine.counts[wanted + 1] + mine.escrow[wanted + 1] > 0 THEN 'kind-held'
                   WHEN the_type = 'copy' AND coalesce(theirs.counts[wanted + 1] + theirs.escrow[wanted + 1], 0) = 0
                       THEN 'friend-lacks-card' END;
    IF status IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT wanted AS kind, NULL::smallint[] AS among, NULL::integer AS number INTO gained;
    IF the_type = 'steal' THEN
        SELECT * INTO gained FROM cards_judge_steal(the_campaign, the_player, friend, theirs, gate.at, gate.today,
                                                    stealing, cooling_h, wanted, fortunes, the_number, roll);
        status := gained.status;
        until := gained.until;
    END IF;
    mine.counts := cards_shifted(mine.counts, ARRAY[special], -1);
    status := coalesce(status, cards_receiver_refusal(mine, 1, false, 0, gate.today));
    IF status IS NOT NULL THEN
        RETURN;
    END IF;

    mine.counts := cards_shifted(mine.counts, ARRAY[gained.kind], 1);
    mine := cards_keep_hand(mine, full_set, wild, gate.at);
    news[1] := news[1] || jsonb_build_object('kind', slugs[gained.kind + 1], 'hand_version', mine.version,
                                             'complete', mine.completed_at IS NOT NULL);
    IF the_type = 'steal' THEN
        theirs.counts := cards_shifted(theirs.counts, ARRAY[gained.kind], -1);
        theirs.robbed_at := gate.at;
        theirs := cards_keep_hand(theirs, full_set, wild, gate.at);
        news[2] := news[2] || jsonb_build_object('kind', slugs[gained.kind + 1], 'hand_version', theirs.version,
                                                 'complete', theirs.completed_at IS NOT NULL);
    END IF;
    INSERT INTO cards_play (public_id, campaign_id, type, player_id, friend_id, kind, number, among, rulebook_version, at)
    VALUES (the_play, the_campaign, the_type, the_player, friend, gained.kind, gained.number, gained.among,
            the_version, gate.at)
    RETURNING id INTO play_id;
    INSERT INTO cards_transfer (campaign_id, kind, giver_id, receiver_id, play_id, position, at)
    VALUES (the_campaign, special, the_player, NULL, play_id, 0, gate.at),
           (the_campaign, gained.kind, CASE WHEN the_type = 'steal' THEN friend END, the_player, play_id, 1, gate.at);

    status := 'played';
    facts := json_build_object('play', the_play, 'at', gate.at, 'kind', gained.kind, 'number', gained.number,
                               'among', gained.among, 'counts', mine.counts, 'escrow', mine.escrow,
                               'version', mine.version)::text;
    INSERT INTO fortunes_idempotencykey (player_id, route, key, body_hash, result)
    VALUES (the_player, the_route, the_key, the_body_hash, facts);
    SELECT array_agg(e.player), array_agg(e.seq) INTO players, seqs
      FROM fortunes_append_events(the_campaign, (ARRAY[the_player, friend])[:cardinality(told)], told, news) e;
END
$$;
