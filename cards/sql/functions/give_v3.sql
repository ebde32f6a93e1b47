-- A direct gift in one round trip, so that the locks of two busy players are held for no longer than it takes: with the
-- steps as statements of the client, 64 gifts crossing between two players ran into the statement timeout.
-- The ORM has no advisory locks and no FOR SHARE.
--
-- Locks, in the one order: gate (shared), hands in ascending player id, friendship, feeds. The giver's hand is also what
-- a concurrent duplicate waits for: keys are the player's own, so they are looked up and kept under that lock, and a
-- refusal leaves nothing behind. Nobody waits for one lock longer than lock_timeout. Who is no friend has no hand locked.
--
-- `gives` has one ordinal a card. `barred` (special kinds that aren't allowed, and so don't change hands), `full_set`, `wild`,
-- `received_per_day` and `cooling_h` are of `the_version` of the rulebook.
-- `facts` is what the answer is rendered from, now and at every replay, or what there is to say of a refusal; `sent` and
-- `received` are the payloads of the two events, to which the figures that only this function knows are added. `players`
-- have news, up to `seqs`.
--
-- Statuses: given, replayed, key-reused, early, frozen, missing, stale-rulebook, rule-forbids (`facts` say the kind),
-- friend-not-found, account-too-new, card-not-held, hand-full, receiver-limit, no-hand (`receiver` has none yet: the caller makes it and asks again).
CREATE FUNCTION cards_give(
    the_campaign bigint, the_version integer, barred smallint[], full_set smallint[], wild smallint,
    received_per_day integer, cooling_h integer,
    giver bigint, receiver_public uuid, gives smallint[],
    the_route text, the_key text, the_body_hash bytea, the_trade uuid, the_state text, sent jsonb, received jsonb,
    OUT status text, OUT facts text, OUT receiver bigint, OUT players bigint[], OUT seqs bigint[]
)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET jit = off
SET lock_timeout = '1s'
AS $$
DECLARE
    gate record;
    trade_id bigint;
    pair cards_hand[];
    mine cards_hand;
    theirs cards_hand;
    until timestamptz;
BEGIN
    PERFORM fortunes_gate_lock(the_campaign);
    receiver := cards_find_friend(giver, receiver_public);
    pair := cards_lock_pair(the_campaign, giver, receiver);
    mine := pair[1];
    theirs := pair[2];
    SELECT * INTO status, facts FROM cards_first_answer(giver, the_route, the_key, the_body_hash);
    IF status IS NOT NULL THEN
        RETURN;
    END IF;

    SELECT * INTO gate FROM fortunes_gate_look(the_campaign);
    until := cards_cooling_until(giver, cooling_h, gate.at);
    status := CASE WHEN gate.verdict <> 'live' THEN gate.verdict
                   WHEN gate.rulebook_version IS DISTINCT FROM the_version THEN 'stale-rulebook'
                   WHEN gives && barred THEN 'rule-forbids'
                   WHEN receiver IS NULL OR NOT accounts_share_friendship(giver, receiver) THEN 'friend-not-found'
                   WHEN until IS NOT NULL THEN 'account-too-new'
                   WHEN mine.id IS NULL THEN 'card-not-held' END;
    IF status IS NOT NULL THEN
        facts := json_build_object('until', until, 'kind', cards_first_barred(gives, barred))::text;
        RETURN;
    END IF;
    mine.counts := cards_shifted(mine.counts, gives, -1);
    status := CASE WHEN NOT 0 <= ALL (mine.counts) THEN 'card-not-held'
                   WHEN theirs.id IS NULL THEN 'no-hand'
                   ELSE cards_receiver_refusal(theirs, cardinality(gives), true, received_per_day, gate.today) END;
    IF status IS NOT NULL THEN
        RETURN;
    END IF;

    mine := cards_keep_hand(mine, full_set, wild, gate.at);
    theirs := cards_keep_hand(cards_received(theirs, gives, true, gate.today), full_set, wild, gate.at);
    INSERT INTO cards_trade (public_id, campaign_id, type, state, audience, proposer_id, recipient_id, gives, takes,
                             rulebook_version, created_at, closed_at)
    VALUES (the_trade, the_campaign, 'gift', the_state, 'one', giver, receiver, gives, '{}', the_version, gate.at, gate.at)
    RETURNING id INTO trade_id;
    PERFORM cards_record_transfers(the_campaign, trade_id, giver, receiver, gives, '{}', gate.at);

    status := 'given';
    facts := json_build_object('trade', the_trade, 'at', gate.at, 'counts', mine.counts, 'escrow', mine.escrow,
                               'version', mine.version)::text;
    INSERT INTO fortunes_idempotencykey (player_id, route, key, body_hash, result)
    VALUES (giver, the_route, the_key, the_body_hash, facts);
    SELECT array_agg(e.player), array_agg(e.seq) INTO players, seqs
      FROM fortunes_append_events(
               the_campaign, ARRAY[giver, receiver], ARRAY['gift.sent', 'gift.received'],
               ARRAY[sent || jsonb_build_object('hand_version', mine.version),
                     received || jsonb_build_object('hand_version', theirs.version,
                                                    'complete', theirs.completed_at IS NOT NULL)]) e;
END
$$;
