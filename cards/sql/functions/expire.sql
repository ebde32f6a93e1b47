-- Close up to `most` open trades of a campaign whose time has passed: what is in escrow returns, and all who were told of a
-- trade are told of its end. Set-based, one chunk to a transaction; called again it goes on with what is left. After the freeze
-- nothing is touched: such a trade is shown as expired, and what is in escrow counts for its giver.
--
-- Locks, in the one order: gate (shared), the proposers' hands in ascending player id, trades, feeds. What was found without
-- a lock is judged again under it, so a trade that is accepted, cancelled or expired meanwhile is left alone.
--
-- `seen` trades were due and `closed` of them closed here; `players` have news, up to `seqs`.
CREATE FUNCTION cards_expire(
    the_campaign bigint, most integer, the_state text,
    OUT seen integer, OUT closed integer, OUT players bigint[], OUT seqs bigint[]
)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET jit = off
SET lock_timeout = '1s'
AS $$
DECLARE
    gate record;
    due bigint[];
    proposers bigint[];
    told bigint[];
    news jsonb[];
BEGIN
    PERFORM fortunes_gate_lock(the_campaign);
    SELECT array_agg(t.id), array_agg(DISTINCT t.proposer_id), count(*) INTO due, proposers, seen
      FROM (SELECT t.id, t.proposer_id FROM cards_trade t
             WHERE t.campaign_id = the_campaign AND t.state = 'open' AND t.expires_at <= fortunes_clock()
             ORDER BY t.expires_at
             LIMIT most) t;
    PERFORM 1 FROM cards_hand h WHERE h.campaign_id = the_campaign AND h.player_id = ANY (proposers)
      ORDER BY h.player_id
        FOR NO KEY UPDATE;

    SELECT * INTO gate FROM fortunes_gate_look(the_campaign);
    IF gate.verdict <> 'live' THEN
        seen := 0;
        closed := 0;
        RETURN;
    END IF;
    WITH expired AS (
        UPDATE cards_trade t SET state = the_state, closed_at = gate.at
         WHERE t.id = ANY (due) AND t.state = 'open' AND t.expires_at <= gate.at
        RETURNING t.*, t AS trade
    ), returning_cards AS (
        SELECT e.proposer_id, array_agg(card) AS cards
          FROM expired e, unnest(e.gives) AS card
         WHERE e.type = 'gift' GROUP BY e.proposer_id
    ), returned AS (
        UPDATE cards_hand h
           SET counts = cards_shifted(h.counts, r.cards, 1), escrow = cards_shifted(h.escrow, r.cards, -1),
               version = h.version + 1
          FROM returning_cards r
         WHERE h.campaign_id = the_campaign AND h.player_id = r.proposer_id
        RETURNING h.player_id, h.version
    ), entry AS (
        SELECT e.id, e.public_id, e.proposer_id AS player,
               CASE WHEN e.type = 'gift' THEN r.version END AS hand_version
          FROM expired e LEFT JOIN returned r ON r.player_id = e.proposer_id
        UNION ALL
        SELECT e.id, e.public_id, asked.player, NULL
          FROM expired e, unnest(cards_still_asked(e.trade)) AS asked (player)
    )
    SELECT (SELECT count(*) FROM expired), array_agg(n.player ORDER BY n.id, n.player),
           array_agg(jsonb_build_object('trade', n.public_id, 'state', the_state, 'by', NULL, 'hand_version', n.hand_version)
                     ORDER BY n.id, n.player)
      INTO closed, told, news
      FROM entry n;
    IF closed > 0 THEN
        SELECT array_agg(e.player), array_agg(e.seq) INTO players, seqs
          FROM fortunes_append_events(
                   the_campaign, told, array_fill('trade.closed'::text, ARRAY[cardinality(told)]), news) e;
    END IF;
END
$$;
