-- Note since when hands are complete, for the next `most` players, after a version of the rules that has changed what that
-- means: those that it completes are complete `since` it took force. Locks, clock and freeze as in `cards_void`.
--
-- `full_set` and `wild` are of `the_version` of the rulebook, the one in force. `the_next` is the step that follows.
--
-- Statuses: moved, busy (as in `cards_void`), frozen, stale-rulebook.
CREATE FUNCTION cards_date_hands(
    the_aftermath bigint, the_next text, the_version integer, full_set smallint[], wild smallint, since timestamptz, most integer,
    OUT status text
)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
SET lock_timeout = '1s'
AS $$
DECLARE
    work cards_aftermath;
    gate record;
    span record;
BEGIN
    SELECT * INTO work FROM cards_aftermath a WHERE a.id = the_aftermath AND a.state = 'complete' FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        status := 'busy';
        RETURN;
    END IF;
    PERFORM fortunes_gate_lock(work.campaign_id);
    -- Who isn't among these has no hand that changes: what is done to a hand meanwhile is done by the version in force.
    SELECT coalesce(max(h.player_id), work.last_player) AS upto, count(*) < most AS is_last,
           array_agg(h.player_id) FILTER (WHERE h.changes) AS players INTO span
      FROM (SELECT h.player_id,
                   (h.completed_at IS NOT NULL) <> cards_is_complete(h.counts, h.escrow, full_set, wild) AS changes
              FROM cards_hand h
             WHERE h.campaign_id = work.campaign_id AND h.player_id > work.last_player
             ORDER BY h.player_id
             LIMIT most) h;
    PERFORM 1 FROM cards_hand h WHERE h.campaign_id = work.campaign_id AND h.player_id = ANY (span.players)
      ORDER BY h.player_id
        FOR NO KEY UPDATE;
    SELECT * INTO gate FROM fortunes_gate_look(work.campaign_id);
    status := CASE WHEN cards_until_frozen(work.campaign_id) IS NULL THEN 'frozen'
                   WHEN gate.rulebook_version IS DISTINCT FROM the_version THEN 'stale-rulebook' END;
    IF status IS NOT NULL THEN
        RETURN;
    END IF;
    UPDATE cards_hand h
       SET completed_at = CASE WHEN cards_is_complete(h.counts, h.escrow, full_set, wild)
                               THEN coalesce(h.completed_at, since) END
     WHERE h.campaign_id = work.campaign_id AND h.player_id = ANY (span.players);
    PERFORM cards_move_on(the_aftermath, span.upto, CASE WHEN span.is_last THEN the_next END);
    status := 'moved';
END
$$;
