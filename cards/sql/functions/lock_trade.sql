-- Take the locks under which a trade by link is accepted, and look whether it still can be: whoever is to be made friends
-- with its proposer on the way has friendships to lock, which come after hands. Of fifty who follow one link at once all but
-- the first leave here, and hold nobody up. `cards_accept` then judges again what was judged here, with the same locks.
--
-- Statuses: open, replayed, key-reused, early, frozen, missing, trade-closed, trade-expired, no-hand (as in `cards_accept`).
CREATE FUNCTION cards_lock_trade(
    the_trade bigint, player bigint, the_route text, the_key text, the_body_hash bytea,
    OUT status text, OUT facts text
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
    SELECT * INTO status, said FROM cards_answer_refusal(trade, player, true, gate.at);
    status := CASE WHEN gate.verdict <> 'live' THEN gate.verdict
                   WHEN status IS NOT NULL THEN status
                   WHEN mine.id IS NULL THEN 'no-hand'
                   ELSE 'open' END;
    facts := json_build_object('state', said)::text;
END
$$;
