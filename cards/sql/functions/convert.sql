-- Turn the cards of kinds that the rules have removed into what was promised for them, for one chunk of players: hands,
-- conversions, transfers and news in one transaction, which moves the aftermath on. It is done exactly once: a chunk counts only
-- if the aftermath is still at `the_after`, and of each player and kind there is one conversion.
--
-- The arrays are parallel, one element a player and kind: `cards` of the `held` are converted, for `fens` or for the kinds that
-- `got` names by the element's number (`got_by`, from 1). What chance decides was rolled by whoever looked at the hands; if
-- one has changed since then, nothing is done and they look again.
--
-- `full_set` and `wild` are of `the_version` of the rulebook, `slugs` the names of all kinds. `the_upto` is the last player of the
-- chunk, `the_next` the step that follows if it was the last chunk. Locks, clock and freeze as in `cards_void`; `told` have news,
-- up to `seqs`.
--
-- How many cards an array has, the planner can't know: told to, it looks up each hand by its index, and doesn't read them all.
--
-- Statuses: moved, busy (as in `cards_void`), frozen, changed (a hand), stale-rulebook.
CREATE FUNCTION cards_convert(
    the_aftermath bigint, the_after bigint, the_upto bigint, the_next text,
    the_version integer, full_set smallint[], wild smallint, slugs text[],
    players bigint[], kinds smallint[], held smallint[], cards smallint[], fens bigint[], chances boolean[],
    got_by integer[], got smallint[],
    OUT status text, OUT converted integer, OUT told bigint[], OUT seqs bigint[]
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
    gate record;
    moment timestamptz;
    news jsonb[];
BEGIN
    converted := 0;
    SELECT * INTO work FROM cards_aftermath a
     WHERE a.id = the_aftermath AND a.state = 'convert' AND a.last_player = the_after
       FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        status := 'busy';
        RETURN;
    END IF;
    PERFORM fortunes_gate_lock(work.campaign_id);
    PERFORM 1 FROM cards_hand h WHERE h.campaign_id = work.campaign_id AND h.player_id = ANY (players)
      ORDER BY h.player_id
        FOR NO KEY UPDATE;
    moment := cards_until_frozen(work.campaign_id);
    SELECT * INTO gate FROM fortunes_gate_look(work.campaign_id);
    status := CASE WHEN moment IS NULL THEN 'frozen'
                   WHEN gate.rulebook_version IS DISTINCT FROM the_version THEN 'stale-rulebook'
                   WHEN EXISTS (
                       SELECT 1
                         FROM unnest(players, kinds, held, cards, fens) AS i (player, kind, held, cards, fen)
                         JOIN cards_hand h ON h.campaign_id = work.campaign_id AND h.player_id = i.player
                        WHERE h.counts[i.kind + 1] <> i.held
                           OR cards_receiver_refusal(h, CASE i.fen WHEN 0 THEN i.cards ELSE 0 END, false, 0, gate.today)
                              IS NOT NULL) THEN 'changed' END;
    IF status IS NOT NULL THEN
        RETURN;
    END IF;

    WITH item AS (
        SELECT i.*, coalesce(g.kinds, '{}') AS got
          FROM unnest(players, kinds, cards, fens, chances) WITH ORDINALITY AS i (player, kind, cards, fen, chance, place)
          LEFT JOIN (SELECT g.place, array_agg(g.kind ORDER BY g.nth) AS kinds
                       FROM unnest(got_by, got) WITH ORDINALITY AS g (place, kind, nth) GROUP BY g.place) g USING (place)
    ), made AS (
        INSERT INTO cards_conversion AS c
               (public_id, aftermath_id, campaign_id, player_id, kind, cards, "into", fen, by_chance, at)
        SELECT gen_random_uuid(), the_aftermath, work.campaign_id, i.player, i.kind, i.cards, i.got, i.fen, i.chance, moment
          FROM item i
         ORDER BY i.player, i.kind
        ON CONFLICT (aftermath_id, kind, player_id) DO NOTHING
        RETURNING c.*
    ), moves AS (
        -- A card that is used up has no receiver, one that is gained has no giver.
        SELECT m.id, m.player_id, m.kind, 0 AS gained, place - 1 AS position
          FROM made m, generate_series(1, m.cards) AS place
        UNION ALL
        SELECT m.id, m.player_id, i.kind, 1, m.cards + i.place - 1
          FROM made m, unnest(m."into") WITH ORDINALITY AS i (kind, place)
    ), moved AS (
        INSERT INTO cards_transfer (campaign_id, kind, giver_id, receiver_id, conversion_id, position, at)
        SELECT work.campaign_id, v.kind, CASE v.gained WHEN 0 THEN v.player_id END, CASE v.gained WHEN 1 THEN v.player_id END,
               v.id, v.position, moment
          FROM moves v
         ORDER BY v.id, v.position
    ), shifted AS (
        SELECT h.id, cards_shifted(cards_shifted(h.counts, v.spent, -1), coalesce(v.gained, '{}'), 1) AS counts
          FROM (SELECT v.player_id, array_agg(v.kind) FILTER (WHERE v.gained = 0) AS spent,
                       array_agg(v.kind) FILTER (WHERE v.gained = 1) AS gained
                  FROM moves v GROUP BY v.player_id) v
          JOIN cards_hand h ON h.campaign_id = work.campaign_id AND h.player_id = v.player_id
    ), kept AS (
        UPDATE cards_hand h
           SET counts = s.counts, version = h.version + 1,
               completed_at = CASE WHEN cards_is_complete(s.counts, h.escrow, full_set, wild)
                                   THEN coalesce(h.completed_at, moment) END
          FROM shifted s WHERE h.id = s.id
        RETURNING h.player_id, h.version, h.completed_at
    )
    SELECT count(*), array_agg(m.player_id ORDER BY m.player_id, m.kind),
           array_agg(jsonb_build_object(
                         'conversion', m.public_id, 'kind', slugs[m.kind + 1], 'cards', m.cards,
                         'into', ARRAY(SELECT slugs[i.kind + 1] FROM unnest(m."into") WITH ORDINALITY AS i (kind, place)
                                        ORDER BY i.place),
                         'fen', m.fen, 'hand_version', k.version, 'complete', k.completed_at IS NOT NULL)
                     ORDER BY m.player_id, m.kind)
      INTO converted, told, news
      FROM made m JOIN kept k ON k.player_id = m.player_id;
    PERFORM cards_move_on(the_aftermath, the_upto, the_next);
    status := 'moved';
    IF converted > 0 THEN
        SELECT array_agg(e.player), array_agg(e.seq) INTO told, seqs
          FROM fortunes_append_events(
                   work.campaign_id, told, array_fill('card.converted'::text, ARRAY[cardinality(told)]), news) e;
    END IF;
END
$$;
