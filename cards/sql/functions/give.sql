-- A direct gift in one round trip, so that the locks of two busy players are held for no longer than it takes: with the
-- steps as statements of the client, 64 gifts crossing between two players ran into the statement timeout.
-- The ORM has no advisory locks and no FOR SHARE.
--
-- Locks, in the one order: gate (shared), hands in ascending player id, friendship, feeds. The giver's hand is also what
-- a concurrent duplicate waits for: keys are the player's own, so they are looked up and kept under that lock, and a
-- refusal leaves nothing behind. Nobody waits for one lock longer than lock_timeout.
--
-- `gives` has one ordinal a card. `full_set` has the ordinals of a full set by `the_version` of the rulebook.
-- `facts` is what the answer is rendered from, now and at every replay; `sent` and `received` are the payloads of the two
-- events, to which the figures that only this function knows are added.
--
-- Statuses: given, replayed, key-reused, early, frozen, missing, stale-rulebook, friend-not-found, card-not-held,
-- hand-full, no-hand (the friend has none yet: the caller makes it and asks again).
CREATE FUNCTION cards_give(
    the_campaign bigint, the_version integer, full_set smallint[],
    giver bigint, receiver bigint, gives smallint[],
    the_route text, the_key text, the_body_hash bytea, the_trade uuid, the_state text, sent jsonb, received jsonb,
    OUT status text, OUT facts text, OUT giver_seq bigint, OUT receiver_seq bigint
)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET jit = off
SET lock_timeout = '1s'
AS $$
DECLARE
    gate record;
    first record;
    trade_id bigint;
    mine cards_hand;
    theirs cards_hand;
BEGIN
    PERFORM fortunes_gate_lock(the_campaign);
    -- One statement a player, in ascending id; a null receiver locks nothing.
    IF giver < receiver THEN
        mine := cards_lock_hand(the_campaign, giver);
        theirs := cards_lock_hand(the_campaign, receiver);
    ELSE
        theirs := cards_lock_hand(the_campaign, receiver);
        mine := cards_lock_hand(the_campaign, giver);
    END IF;

    SELECT k.body_hash, k.result INTO first FROM fortunes_idempotencykey k
     WHERE k.player_id = giver AND k.route = the_route AND k.key = the_key;
    IF FOUND THEN
        status := CASE WHEN first.body_hash = the_body_hash THEN 'replayed' ELSE 'key-reused' END;
        facts := first.result;
        RETURN;
    END IF;

    SELECT * INTO gate FROM fortunes_gate_look(the_campaign);
    status := CASE WHEN gate.verdict <> 'live' THEN gate.verdict
                   WHEN gate.rulebook_version IS DISTINCT FROM the_version THEN 'stale-rulebook'
                   WHEN receiver IS NULL OR NOT accounts_share_friendship(giver, receiver) THEN 'friend-not-found'
                   WHEN mine.id IS NULL THEN 'card-not-held' END;
    IF status IS NOT NULL THEN
        RETURN;
    END IF;
    mine.counts := cards_shifted(mine.counts, gives, -1);
    IF NOT 0 <= ALL (mine.counts) THEN
        status := 'card-not-held';
        RETURN;
    END IF;
    IF theirs.id IS NULL THEN
        status := 'no-hand';
        RETURN;
    END IF;
    IF (SELECT max(held.cards) FROM unnest(theirs.counts) AS held (cards)) + cardinality(gives) > 32767 THEN
        status := 'hand-full';
        RETURN;
    END IF;
    theirs.counts := cards_shifted(theirs.counts, gives, 1);

    UPDATE cards_hand h SET counts = mine.counts, version = h.version + 1 WHERE h.id = mine.id
        RETURNING h.version INTO mine.version;
    UPDATE cards_hand h SET counts = theirs.counts, version = h.version + 1 WHERE h.id = theirs.id
        RETURNING h.version INTO theirs.version;
    INSERT INTO cards_trade (public_id, campaign_id, type, state, proposer_id, recipient_id, gives, takes,
                             rulebook_version, created_at, closed_at)
    VALUES (the_trade, the_campaign, 'gift', the_state, giver, receiver, gives, '{}', the_version, gate.at, gate.at)
    RETURNING id INTO trade_id;
    INSERT INTO cards_transfer (campaign_id, kind, giver_id, receiver_id, trade_id, position, at)
    SELECT the_campaign, k.kind, giver, receiver, trade_id, k.place - 1, gate.at
      FROM unnest(gives) WITH ORDINALITY AS k (kind, place);

    status := 'given';
    facts := json_build_object('trade', the_trade, 'at', gate.at, 'counts', mine.counts, 'escrow', mine.escrow,
                               'version', mine.version)::text;
    INSERT INTO fortunes_idempotencykey (player_id, route, key, body_hash, result)
    VALUES (giver, the_route, the_key, the_body_hash, facts);
    SELECT max(e.seq) FILTER (WHERE e.player = giver), max(e.seq) FILTER (WHERE e.player = receiver)
      INTO giver_seq, receiver_seq
      FROM fortunes_append_events(
               the_campaign, ARRAY[giver, receiver], ARRAY['gift.sent', 'gift.received'],
               ARRAY[sent || jsonb_build_object('hand_version', mine.version),
                     received || jsonb_build_object('hand_version', theirs.version,
                                                    'complete', cards_complete(theirs.counts, theirs.escrow, full_set))]) e;
END
$$;
