-- Take back an open trade of one's own. What is in escrow for it returns.
--
-- Locks, in the one order: gate (shared), the proposer's hand, trade, feeds. `cancelled` is the payload for all who were told
-- of the trade and haven't declined; `facts`, `players` and `seqs` as in `cards_give`.
--
-- Statuses: cancelled, replayed, key-reused, early, frozen, missing, trade-closed (`facts` say the state), trade-expired.
CREATE FUNCTION cards_cancel(
    the_trade bigint, proposer bigint, the_route text, the_key text, the_body_hash bytea, the_state text, cancelled jsonb,
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
    mine cards_hand;
    asked bigint[];
BEGIN
    SELECT * INTO trade FROM cards_trade t WHERE t.id = the_trade;
    PERFORM fortunes_gate_lock(trade.campaign_id);
    mine := cards_lock_hand(trade.campaign_id, proposer);
    SELECT * INTO status, facts FROM cards_first_answer(proposer, the_route, the_key, the_body_hash);
    IF status IS NOT NULL THEN
        RETURN;
    END IF;

    SELECT * INTO gate FROM fortunes_gate_look(trade.campaign_id);
    SELECT * INTO trade FROM cards_trade t WHERE t.id = the_trade;
    status := CASE WHEN gate.verdict <> 'live' THEN gate.verdict
                   WHEN trade.state <> 'open' THEN 'trade-closed'
                   WHEN trade.expires_at <= gate.at THEN 'trade-expired' END;
    IF status IS NOT NULL THEN
        facts := json_build_object('state', trade.state)::text;
        RETURN;
    END IF;

    IF trade.type = 'gift' THEN
        mine := cards_escrow(mine, trade.gives, -1);
    END IF;
    UPDATE cards_trade t SET state = the_state, closed_at = gate.at WHERE t.id = the_trade;

    status := 'cancelled';
    facts := json_build_object('trade', trade.public_id, 'at', gate.at, 'counts', mine.counts, 'escrow', mine.escrow,
                               'version', mine.version,
                               'opens', coalesce((SELECT l.opens + (SELECT count(*) FROM cards_linkopen o
                                                                    WHERE o.link_id = the_trade)
                                                    FROM cards_sharelink l WHERE l.trade_id = the_trade), 0))::text;
    INSERT INTO fortunes_idempotencykey (player_id, route, key, body_hash, result)
    VALUES (proposer, the_route, the_key, the_body_hash, facts);
    asked := cards_still_asked(trade);
    SELECT array_agg(e.player), array_agg(e.seq) INTO players, seqs
      FROM fortunes_append_events(
               trade.campaign_id, proposer || asked, array_fill('trade.closed'::text, ARRAY[1 + cardinality(asked)]),
               (cancelled || jsonb_build_object('hand_version', CASE WHEN trade.type = 'gift' THEN mine.version END))
                   || array_fill(cancelled, ARRAY[cardinality(asked)])) e;
END
$$;
