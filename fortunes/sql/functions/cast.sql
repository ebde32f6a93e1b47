-- Cast a list of ballots in one campaign: one transaction, one ordered lock statement and one set-based statement. A ballot
-- passes the gate as a card does (fortunes/gate.py). The ORM can't say it: ordered row locks over a list, ON CONFLICT whose
-- losers are told apart, and counts that change by what was written.
--
-- The arrays are parallel, one element a ballot; a player comes at most once. `receipts` and `leaves` are those that a ballot
-- gets if it counts. `the_route` is that of the idempotency keys, which are the player's own within the campaign.
--
-- Statuses: cast, changed (it replaces the player's ballot for another option), kept (the player's ballot says so already,
-- and may be changed: it stays as it is), replayed (the same key and body: the first answer), key-reused, proposal-not-found,
-- vote-not-open (with `state`, `opens_at` and `closes_at`), option-not-found, not-eligible, ballot-already-cast (for `option`),
-- early, frozen.
--
-- Locks: gate (shared), memberships in ascending player id, ballots, counts in ascending order. A statement sees what was
-- committed before it began, so each judgement follows the lock it needs in a statement of its own. Without the lock on
-- the membership two changes of one ballot would both be taken from the count of its first option.
CREATE FUNCTION fortunes_cast(
    the_campaign bigint, the_route text,
    players bigint[], keys text[], body_hashes bytea[],
    proposals uuid[], options smallint[], receipts bytea[], leaves bytea[]
) RETURNS TABLE (
    place bigint, status text, facts text, state text, opens_at timestamptz, closes_at timestamptz, option smallint
)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
SET lock_timeout = '1s'
AS $$
#variable_conflict use_column
DECLARE
    gate record;
    locked bigint[];
BEGIN
    PERFORM fortunes_gate_lock(the_campaign);
    SELECT coalesce(array_agg(m.player_id), '{}') INTO locked
      FROM (SELECT m.player_id FROM fortunes_membership m
             WHERE m.player_id = ANY (players) AND m.campaign_id = the_campaign
             ORDER BY m.player_id
               FOR NO KEY UPDATE) m;

    SELECT * INTO gate FROM fortunes_gate_look(the_campaign);

    RETURN QUERY
    WITH asked AS (
        SELECT i.*, p.id AS proposal_id, p.opens_at, p.closes_at, p.may_change,
               CASE WHEN p.state <> 'open' THEN p.state
                    WHEN gate.at < p.opens_at THEN 'scheduled'
                    WHEN gate.at >= p.closes_at THEN 'counting'
                    ELSE 'open' END::text AS state
          FROM unnest(players, keys, body_hashes, proposals, options, receipts, leaves) WITH ORDINALITY
               AS i (player, key, body_hash, proposal, option, receipt, leaf, place)
          LEFT JOIN LATERAL (SELECT p.id, p.state, p.opens_at, p.closes_at, p.may_change FROM fortunes_proposal p
                              WHERE p.public_id = i.proposal AND p.campaign_id = the_campaign AND p.opened_at IS NOT NULL
                              LIMIT 1) p ON true
    ), judged AS (
        SELECT a.*, b.id AS ballot_id, b.option AS old_option, b.receipt AS old_receipt, b.leaf AS old_leaf, b.at AS old_at,
               first.result AS first_answer,
               CASE WHEN first.body_hash = a.body_hash THEN 'replayed'
                    WHEN first.body_hash IS NOT NULL THEN 'key-reused'
                    WHEN a.proposal_id IS NULL THEN 'proposal-not-found'
                    WHEN a.state <> 'open' THEN 'vote-not-open'
                    WHEN gate.verdict <> 'live' THEN gate.verdict
                    WHEN o.number IS NULL THEN 'option-not-found'
                    -- Whoever has joined since then was not locked: they joined too late as well.
                    WHEN m.joined_at IS NULL OR m.joined_at >= a.opens_at THEN 'not-eligible'
                    WHEN EXISTS (SELECT 1 FROM fortunes_exclusion e
                                  WHERE e.campaign_id = the_campaign AND e.player_id = a.player) THEN 'not-eligible'
                    WHEN b.id IS NULL THEN 'cast'
                    WHEN NOT a.may_change THEN 'ballot-already-cast'
                    WHEN b.option = a.option THEN 'kept'
                    ELSE 'changed' END AS verdict
          FROM asked a
          LEFT JOIN LATERAL (SELECT m.joined_at FROM fortunes_membership m
                              WHERE m.player_id = a.player AND m.campaign_id = the_campaign
                                AND a.player = ANY (locked) LIMIT 1) m ON true
          LEFT JOIN LATERAL (SELECT o.number FROM fortunes_option o
                              WHERE o.proposal_id = a.proposal_id AND o.number = a.option LIMIT 1) o ON true
          LEFT JOIN LATERAL (SELECT b.* FROM fortunes_ballot b
                              WHERE b.player_id = a.player AND b.proposal_id = a.proposal_id LIMIT 1) b ON true
          LEFT JOIN LATERAL (SELECT k.body_hash, k.result FROM fortunes_idempotencykey k
                              WHERE k.player_id = a.player AND k.route = the_route AND k.key = a.key LIMIT 1) first ON true
    ), written AS (
        INSERT INTO fortunes_ballot AS b (proposal_id, player_id, option, receipt, leaf, at)
        SELECT j.proposal_id, j.player, j.option, j.receipt, j.leaf, gate.at
          FROM judged j
         WHERE j.verdict = 'cast'
         ORDER BY j.player
        ON CONFLICT (player_id, proposal_id) DO NOTHING
        RETURNING b.player_id
    ), rewritten AS (
        UPDATE fortunes_ballot b
           SET option = j.option, receipt = j.receipt, leaf = j.leaf, at = gate.at
          FROM judged j
         WHERE b.id = j.ballot_id AND j.verdict = 'changed'
        RETURNING b.player_id
    ), moved AS (
        SELECT j.proposal_id, j.option, j.player, 1 AS ballots
          FROM judged j
         WHERE j.player IN (SELECT w.player_id FROM written w UNION ALL SELECT r.player_id FROM rewritten r)
         UNION ALL
        SELECT j.proposal_id, j.old_option, j.player, -1
          FROM judged j
         WHERE j.player IN (SELECT r.player_id FROM rewritten r)
    ), deltas AS (
        -- The shard is a player's own, so that a change moves between two rows that both exist, or comes first.
        SELECT m.proposal_id, m.option, (m.player % 64)::smallint AS shard, sum(m.ballots) AS ballots
          FROM moved m
         GROUP BY m.proposal_id, m.option, m.player % 64
        HAVING sum(m.ballots) <> 0
    ), counted AS (
        -- A negative one would break the constraint before the row was found to exist; so it is looked up.
        INSERT INTO fortunes_ballotcount AS c (proposal_id, option, shard, ballots)
        SELECT d.proposal_id, d.option, d.shard, greatest(d.ballots, 0)
          FROM deltas d
         ORDER BY d.proposal_id, d.option, d.shard
        ON CONFLICT (proposal_id, option, shard) DO UPDATE
           SET ballots = c.ballots + (SELECT d.ballots FROM deltas d
                                       WHERE d.proposal_id = c.proposal_id AND d.option = c.option AND d.shard = c.shard)
    ), done AS (
        SELECT j.place, j.verdict,
               json_build_object('proposal', j.proposal, 'option', j.option,
                                 'receipt', encode(CASE WHEN j.verdict = 'kept' THEN j.old_receipt ELSE j.receipt END, 'hex'),
                                 'leaf', encode(CASE WHEN j.verdict = 'kept' THEN j.old_leaf ELSE j.leaf END, 'hex'),
                                 'at', CASE WHEN j.verdict = 'kept' THEN j.old_at ELSE gate.at END,
                                 'changed', j.verdict = 'changed')::text AS facts
          FROM judged j
         WHERE j.verdict = 'kept'
            OR j.player IN (SELECT w.player_id FROM written w UNION ALL SELECT r.player_id FROM rewritten r)
    ), remembered AS (
        INSERT INTO fortunes_idempotencykey (player_id, route, key, body_hash, result)
        SELECT j.player, the_route, j.key, j.body_hash, d.facts
          FROM done d JOIN judged j ON j.place = d.place
         ORDER BY j.player
    )
    SELECT j.place, coalesce(d.verdict, nullif(j.verdict, 'cast'), 'ballot-already-cast'), coalesce(d.facts, j.first_answer),
           j.state, j.opens_at, j.closes_at, j.old_option
      FROM judged j LEFT JOIN done d ON d.place = j.place
     ORDER BY j.place;
END
$$;
