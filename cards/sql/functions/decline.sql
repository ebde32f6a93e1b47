-- Decline an open trade that one is asked by. Where several friends are asked it stays open for the others, and is declined
-- once all have refused. No friendship is needed to refuse.
--
-- Locks as in `cards_accept`, without the friendship. `declined` is the payload for who declines, and for the proposer if
-- that closes the trade; `the_state` the state that it then has. `facts`, `players` and `seqs` as in `cards_give`.
--
-- Statuses: declined, replayed, key-reused, early, frozen, missing, trade-not-found, trade-closed, trade-expired, no-hand.
CREATE FUNCTION cards_decline(
    the_trade bigint, player bigint, the_route text, the_key text, the_body_hash bytea, the_state text, declined jsonb,
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
    said text;
    told bigint[];
BEGIN
    SELECT * INTO trade FROM cards_trade t WHERE t.id = the_trade;
    PERFORM fortunes_gate_lock(trade.campaign_id);
    pair := cards_lock_pair(trade.campaign_id, player, trade.proposer_id);
    mine := pair[1];
    SELECT * INTO status, facts FROM cards_first_answer(player, the_route, the_key, the_body_hash);
    IF status IS NOT NULL THEN
        RETURN;
    END IF;

    SELECT * INTO gate FROM fortunes_gate_look(trade.campaign_id);
    SELECT * INTO trade FROM cards_trade t WHERE t.id = the_trade;
    SELECT * INTO status, said FROM cards_answer_refusal(trade, player, false, gate.at);
    status := CASE WHEN gate.verdict <> 'live' THEN gate.verdict
                   WHEN status IS NOT NULL THEN status
                   -- Keys are kept under the lock on their player's hand.
                   WHEN mine.id IS NULL THEN 'no-hand' END;
    IF status IS NOT NULL THEN
        facts := json_build_object('state', said)::text;
        RETURN;
    END IF;

    UPDATE cards_addressee a SET declined_at = gate.at WHERE a.trade_id = the_trade AND a.player_id = player;
    told := ARRAY[player];
    IF trade.audience = 'one' OR cardinality(cards_still_asked(trade)) = 0 THEN
        UPDATE cards_trade t SET state = the_state, closed_at = gate.at WHERE t.id = the_trade;
        trade.state := the_state;
        told := ARRAY[player, trade.proposer_id];
    END IF;

    status := 'declined';
    facts := json_build_object('trade', trade.public_id, 'at', CASE WHEN trade.state <> 'open' THEN gate.at END,
                               'counts', mine.counts, 'escrow', mine.escrow, 'version', mine.version)::text;
    INSERT INTO fortunes_idempotencykey (player_id, route, key, body_hash, result)
    VALUES (player, the_route, the_key, the_body_hash, facts);
    SELECT array_agg(e.player), array_agg(e.seq) INTO players, seqs
      FROM fortunes_append_events(
               trade.campaign_id, told, array_fill('trade.closed'::text, ARRAY[cardinality(told)]),
               -- The last of several who refuse didn't refuse for the others.
               (ARRAY[declined, CASE WHEN trade.audience = 'one' THEN declined ELSE declined || '{"by": null}' END])
                   [:cardinality(told)]) e;
END
$$;
