-- Close up to `most_trades` open trades that have a card of `kinds`, of the next `most_hands` players: what is in escrow returns,
-- and all who were told of a trade are told of its end. Part of an aftermath: once the version that removes these kinds is in
-- force nobody proposes such a trade any more, so those that are found here are all that there are.
--
-- Up to the freeze and not only up to the deadline: the freeze waits for what a version in force has promised, and a card in
-- escrow has to be with its giver by then. So a trade whose own time is over may be voided too.
--
-- Locks, in the one order: the aftermath's row, for which nobody waits; gate (shared), the proposers' hands in ascending player
-- id, trades, feeds. What was found without a lock is judged again under it.
--
-- `the_next` is the step that follows when all players have been looked at. `closed` trades were closed; `players` have news,
-- up to `seqs`.
--
-- Statuses: moved, busy (somebody else is at it, or this step is over), frozen.
CREATE FUNCTION cards_void(
    the_aftermath bigint, kinds smallint[], the_state text, the_next text, most_hands integer, most_trades integer,
    OUT status text, OUT closed integer, OUT players bigint[], OUT seqs bigint[]
)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET lock_timeout = '1s'
AS $$
DECLARE
    work cards_aftermath;
    moment timestamptz;
    span record;
    due bigint[];
    proposers bigint[];
    told bigint[];
    news jsonb[];
BEGIN
    closed := 0;
    SELECT * INTO work FROM cards_aftermath a WHERE a.id = the_aftermath AND a.state = 'void' FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        status := 'busy';
        RETURN;
    END IF;
    PERFORM fortunes_gate_lock(work.campaign_id);
    SELECT coalesce(max(h.player_id), work.last_player) AS upto, count(*) < most_hands AS is_last INTO span
      FROM (SELECT h.player_id FROM cards_hand h
             WHERE h.campaign_id = work.campaign_id AND h.player_id > work.last_player
             ORDER BY h.player_id
             LIMIT most_hands) h;
    SELECT coalesce(array_agg(t.id), '{}'), array_agg(DISTINCT t.proposer_id) INTO due, proposers
      FROM (SELECT t.id, t.proposer_id FROM cards_trade t
             WHERE t.campaign_id = work.campaign_id AND t.state = 'open'
               AND t.proposer_id > work.last_player AND t.proposer_id <= span.upto AND (t.gives || t.takes) && kinds
             ORDER BY t.proposer_id
             LIMIT most_trades) t;
    PERFORM 1 FROM cards_hand h WHERE h.campaign_id = work.campaign_id AND h.player_id = ANY (proposers)
      ORDER BY h.player_id
        FOR NO KEY UPDATE;
    moment := cards_until_frozen(work.campaign_id);
    IF moment IS NULL THEN
        status := 'frozen';
        RETURN;
    END IF;

    WITH voided AS (
        UPDATE cards_trade t SET state = the_state, closed_at = moment
         WHERE t.id = ANY (due) AND t.state = 'open'
        RETURNING t.*, t AS trade
    ), returning_cards AS (
        SELECT v.proposer_id, array_agg(card) AS cards
          FROM voided v, unnest(v.gives) AS card
         WHERE v.type = 'gift' GROUP BY v.proposer_id
    ), returned AS (
        UPDATE cards_hand h
           SET counts = cards_shifted(h.counts, r.cards, 1), escrow = cards_shifted(h.escrow, r.cards, -1),
               version = h.version + 1
          FROM returning_cards r
         WHERE h.campaign_id = work.campaign_id AND h.player_id = r.proposer_id
        RETURNING h.player_id, h.version
    ), entry AS (
        SELECT v.id, v.public_id, v.proposer_id AS player,
               CASE WHEN v.type = 'gift' THEN r.version END AS hand_version
          FROM voided v LEFT JOIN returned r ON r.player_id = v.proposer_id
        UNION ALL
        SELECT v.id, v.public_id, asked.player, NULL
          FROM voided v, unnest(cards_still_asked(v.trade)) AS asked (player)
    )
    SELECT (SELECT count(*) FROM voided), array_agg(n.player ORDER BY n.id, n.player),
           array_agg(jsonb_build_object('trade', n.public_id, 'state', the_state, 'by', NULL, 'hand_version', n.hand_version)
                     ORDER BY n.id, n.player)
      INTO closed, told, news
      FROM entry n;
    -- Where there may be more of these players' the next chunk begins with them again: what is closed by then is not found.
    IF cardinality(due) < most_trades THEN
        PERFORM cards_move_on(the_aftermath, span.upto, CASE WHEN span.is_last THEN the_next END);
    END IF;
    status := 'moved';
    IF closed > 0 THEN
        SELECT array_agg(e.player), array_agg(e.seq) INTO players, seqs
          FROM fortunes_append_events(
                   work.campaign_id, told, array_fill('trade.closed'::text, ARRAY[cardinality(told)]), news) e;
    END IF;
END
$$;
