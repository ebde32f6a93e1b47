-- Accept an open trade: both sides' cards change hands or none do. One round trip, as with `cards_give`.
--
-- Locks, in the one order: gate (shared), hands in ascending player id, friendship, trade, feeds. Who the proposer is never
-- changes, so it is read without a lock; then come the locks, and then everything that does change is read again, in
-- statements that begin after them. A trade changes only under its proposer's hand, so of many who accept the first to get
-- that lock wins, and the others find it closed.
--
-- `by_link` says that the player has the trade's link: they are made friends before, in the same transaction. Everybody
-- else has to be asked and still be a friend of a proposer who wasn't shut out, and is told nothing of the trade otherwise.
-- `barred` are the special kinds that aren't allowed: what was proposed under rules that allowed them is void, whenever
-- that is written down (`cards_void`). The rest is as in `cards_give`; `closed` is the event for those who were asked as well,
-- and come too late now.
--
-- Statuses: accepted, replayed, key-reused, early, frozen, missing, stale-rulebook, rule-forbids (`facts` say the kind),
-- trade-not-found, trade-closed (`facts` say the state), trade-expired, account-too-new, card-not-held, offer-not-covered (the proposer's cards are gone), hand-full,
-- receiver-limit, no-hand (the player has none yet: the caller makes it and asks again).
CREATE FUNCTION cards_accept(
    the_version integer, barred smallint[], full_set smallint[], wild smallint, received_per_day integer, cooling_h integer,
    the_trade bigint, player bigint, by_link boolean,
    the_route text, the_key text, the_body_hash bytea, the_state text, accepted jsonb, closed jsonb,
    OUT status text, OUT facts text, OUT players bigint[], OUT seqs bigint[]
)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET jit = off
SET lock_timeout = '1s'
AS $$
DECLARE
    gate record;
    trade cards_trade;
    pair cards_hand[];
    mine cards_hand;
    theirs cards_hand;
    until timestamptz;
    said text;
    late bigint[];
BEGIN
    SELECT * INTO trade FROM cards_trade t WHERE t.id = the_trade;
    PERFORM fortunes_gate_lock(trade.campaign_id);
    pair := cards_lock_pair(trade.campaign_id, player, trade.proposer_id);
    mine := pair[1];
    theirs := pair[2];
    SELECT * INTO status, facts FROM cards_first_answer(player, the_route, the_key, the_body_hash);
    IF status IS NOT NULL THEN
        RETURN;
    END IF;

    SELECT * INTO gate FROM fortunes_gate_look(trade.campaign_id);
    status := CASE WHEN gate.verdict <> 'live' THEN gate.verdict
                   WHEN gate.rulebook_version IS DISTINCT FROM the_version THEN 'stale-rulebook'
                   WHEN NOT by_link AND NOT (
                       accounts_share_friendship(player, trade.proposer_id)
                       AND EXISTS (SELECT FROM accounts_player p WHERE p.id = trade.proposer_id AND p.is_active))
                       THEN 'trade-not-found' END;
    IF status IS NULL THEN
        SELECT * INTO trade FROM cards_trade t WHERE t.id = the_trade;
        SELECT * INTO status, said FROM cards_answer_refusal(trade, player, by_link, gate.at);
    END IF;
    IF status IS NULL AND (trade.gives || trade.takes) && barred THEN
        status := 'rule-forbids';
    END IF;
    IF status IS NULL AND cardinality(trade.takes) > 0 THEN
        until := cards_cooling_until(player, cooling_h, gate.at);
        status := CASE WHEN until IS NOT NULL THEN 'account-too-new' END;
    END IF;
    IF status IS NOT NULL THEN
        facts := json_build_object('state', said, 'until', until,
                                   'kind', cards_first_barred(trade.gives || trade.takes, barred))::text;
        RETURN;
    END IF;

    IF trade.type = 'gift' THEN
        theirs.escrow := cards_shifted(theirs.escrow, trade.gives, -1);
    ELSE
        theirs.counts := cards_shifted(theirs.counts, trade.gives, -1);
        mine.counts := cards_shifted(mine.counts, trade.takes, -1);
    END IF;
    status := CASE WHEN mine.id IS NULL AND cardinality(trade.takes) = 0 THEN 'no-hand'
                   WHEN mine.id IS NULL OR NOT 0 <= ALL (mine.counts) THEN 'card-not-held'
                   WHEN NOT 0 <= ALL (theirs.counts) THEN 'offer-not-covered' END;
    status := coalesce(
        status,
        cards_receiver_refusal(mine, cardinality(trade.gives), true, received_per_day, gate.today),
        cards_receiver_refusal(theirs, cardinality(trade.takes), true, received_per_day, gate.today));
    IF status IS NOT NULL THEN
        RETURN;
    END IF;

    mine := cards_received(mine, trade.gives, cardinality(trade.gives) > 0, gate.today);
    mine := cards_keep_hand(mine, full_set, wild, gate.at);
    theirs := cards_received(theirs, trade.takes, cardinality(trade.takes) > 0, gate.today);
    theirs := cards_keep_hand(theirs, full_set, wild, gate.at);
    UPDATE cards_trade t SET state = the_state, recipient_id = player, closed_at = gate.at WHERE t.id = the_trade;
    PERFORM cards_record_transfers(
        trade.campaign_id, the_trade, trade.proposer_id, player, trade.gives, trade.takes, gate.at);

    status := 'accepted';
    facts := json_build_object('trade', trade.public_id, 'at', gate.at, 'counts', mine.counts, 'escrow', mine.escrow,
                               'version', mine.version)::text;
    INSERT INTO fortunes_idempotencykey (player_id, route, key, body_hash, result)
    VALUES (player, the_route, the_key, the_body_hash, facts);
    late := array_remove(cards_still_asked(trade), player);
    SELECT array_agg(e.player), array_agg(e.seq) INTO players, seqs
      FROM fortunes_append_events(
               trade.campaign_id, ARRAY[player, trade.proposer_id] || late,
               ARRAY['trade.accepted', 'trade.accepted'] || array_fill('trade.closed'::text, ARRAY[cardinality(late)]),
               ARRAY[accepted || jsonb_build_object('hand_version', mine.version,
                                                    'complete', mine.completed_at IS NOT NULL),
                     accepted || jsonb_build_object('hand_version', theirs.version,
                                                    'complete', theirs.completed_at IS NOT NULL)]
                   || array_fill(closed, ARRAY[cardinality(late)])) e;
END
$$;
