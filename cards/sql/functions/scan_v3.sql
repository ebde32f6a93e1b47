-- Redeem a list of scans of one campaign: one transaction, one ordered lock statement and one set-based statement. A scan
-- is a code, or what another source stands for: a day's check-in, an invited player, a grant by support.
-- The ORM can't say any of it: ordered row locks over a list, DELETE … SKIP LOCKED of stock, ON CONFLICT DO NOTHING whose
-- losers are told apart, and an update of hands from what was inserted. One item costs PostgreSQL an eighth of a call.
--
-- The arrays are parallel, one element a scan; a player comes at most once. `wishes` and `alternatives` were computed
-- for `the_version` of the rulebook; if that is no longer in force every item answers 'stale-rulebook' and nothing is
-- done. `per_day` and `per_campaign` are that version's quotas by source ordinal, `capped` says which kinds are capped;
-- `full_set` has the ordinals of its full set, `wild` that of the wild card if it fills in for what is missing.
-- `batches` has the number of a code's batch, 0 for what is no code; `expiries` is null for those. `days` has the local day
-- that a nonce was made from, null where it was made from none.
--
-- Statuses: drawn, replayed (the same key and body: the first answer), key-reused, stale-day (the day isn't that of the
-- gate: the caller asks again for `today`), code-used, code-unknown (no such batch), code-revoked, code-expired, daily-limit,
-- campaign-limit, hand-full, early, frozen, missing, stale-rulebook, no-hand (the caller makes the row and asks again).
--
-- `quota_day` is the local day that the quotas of the day were judged for: today, or a later one that the hand has seen.
--
-- Locks: gate (shared), hands in ascending player id, then nonces in ascending order: no cycle. A statement sees what was
-- committed before it began, so each judgement follows the lock it needs in a statement of its own.
CREATE FUNCTION cards_scan(
    the_campaign bigint, the_version integer,
    players bigint[], keys text[], body_hashes bytea[],
    sources smallint[], nonces bytea[], expiries timestamptz[],
    batches integer[], days date[],
    wishes smallint[], alternatives smallint[],
    per_day smallint[], per_campaign smallint[], capped boolean[], full_set smallint[], wild smallint
) RETURNS TABLE (
    place bigint, status text, draw_id uuid, source smallint, wish smallint, kind smallint, serial bigint, version integer,
    hand smallint[], escrow smallint[], used_today smallint, used smallint, hand_version bigint, at timestamptz,
    today date, quota_day date
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
    refusal text;
    -- A hand that was made after this lock is visible below and yet not locked: it counts as missing.
    locked bigint[];
BEGIN
    PERFORM fortunes_gate_lock(the_campaign);
    SELECT coalesce(array_agg(h.player_id), '{}') INTO locked
      FROM (SELECT h.player_id FROM cards_hand h
             WHERE h.campaign_id = the_campaign AND h.player_id = ANY (players)
             ORDER BY h.player_id
               FOR NO KEY UPDATE) h;

    SELECT * INTO gate FROM fortunes_gate_look(the_campaign);
    refusal := CASE WHEN gate.verdict <> 'live' THEN gate.verdict
                    WHEN gate.rulebook_version IS DISTINCT FROM the_version THEN 'stale-rulebook' END;

    RETURN QUERY
    WITH judged AS (
        SELECT i.*, h.id AS hand_id, h.counts, h.escrow,
               CASE WHEN h.day >= gate.today THEN h.used_today ELSE array_fill(0::smallint, ARRAY[cardinality(per_day)]) END
                   AS today_counts,
               greatest(h.day, gate.today) AS quota_day, h.used AS season_counts, h.version AS old_version, first.id AS first_id,
               CASE WHEN first.id IS NOT NULL AND first.body_hash = i.body_hash THEN 'replayed'
                    WHEN first.id IS NOT NULL THEN 'key-reused'
                    WHEN refusal IS NOT NULL THEN refusal
                    WHEN h.id IS NULL THEN 'no-hand'
                    WHEN i.day <> gate.today THEN 'stale-day'
                    WHEN EXISTS (SELECT 1 FROM cards_draw u WHERE u.campaign_id = the_campaign
                                    AND u.source = i.source AND u.nonce = i.nonce) THEN 'code-used'
                    WHEN i.batch > 0 AND b.source IS DISTINCT FROM i.source THEN 'code-unknown'
                    WHEN b.revoked_at IS NOT NULL THEN 'code-revoked'
                    WHEN i.expires_at <= gate.at THEN 'code-expired'
                    WHEN h.used[i.source + 1] >= per_campaign[i.source + 1] THEN 'campaign-limit'
                    WHEN h.day >= gate.today AND h.used_today[i.source + 1] >= per_day[i.source + 1]
                      OR per_day[i.source + 1] = 0 THEN 'daily-limit'
                    WHEN 32767 = ANY (h.counts) THEN 'hand-full'
                    -- What is in escrow has to find its way back.
                    WHEN 0 < ANY (h.escrow) AND 32767 - (SELECT sum(e.cards) FROM unnest(h.escrow) AS e (cards)) <= ANY (h.counts)
                        THEN 'hand-full'
                    ELSE 'drawn' END AS verdict
          FROM unnest(players, keys, body_hashes, sources, nonces, expiries, batches, days, wishes, alternatives) WITH ORDINALITY
               AS i (player, key, body_hash, source, nonce, expires_at, batch, day, wish, alternative, place)
          LEFT JOIN LATERAL (SELECT b.source, b.revoked_at FROM cards_codebatch b
                              WHERE b.campaign_id = the_campaign AND b.number = i.batch LIMIT 1) b ON true
          LEFT JOIN LATERAL (SELECT * FROM cards_hand h
                              WHERE h.campaign_id = the_campaign AND h.player_id = i.player
                                AND i.player = ANY (locked) LIMIT 1) h ON true
          LEFT JOIN LATERAL (SELECT d.id, d.body_hash FROM cards_draw d
                              WHERE d.player_id = i.player AND d.campaign_id = the_campaign AND d.key = i.key LIMIT 1) first ON true
    ), wanted AS (
        -- The n-th item of this batch that wishes for one capped kind.
        SELECT j.place, j.wish, row_number() OVER (PARTITION BY j.wish ORDER BY j.place) AS nth
          FROM judged j WHERE j.verdict = 'drawn' AND capped[j.wish + 1]
    ), taken AS (
        DELETE FROM cards_stock s
         USING (SELECT w.wish, count(*) AS units FROM wanted w GROUP BY w.wish) need,
       LATERAL (SELECT u.id FROM cards_stock u
                 WHERE u.campaign_id = the_campaign AND u.kind = need.wish AND u.available_at <= gate.at
                 ORDER BY u.serial
                 LIMIT need.units
                   FOR UPDATE SKIP LOCKED) unit
         WHERE s.id = unit.id
        RETURNING s.kind, s.serial, s.available_at
    ), dealt AS (
        SELECT w.place, t.serial
          FROM wanted w
          JOIN (SELECT t.kind, t.serial, row_number() OVER (PARTITION BY t.kind ORDER BY t.serial) AS nth FROM taken t) t
            ON t.kind = w.wish AND t.nth = w.nth
    ), chosen AS (
        SELECT j.*, d.serial,
               CASE WHEN capped[j.wish + 1] AND d.serial IS NULL THEN j.alternative ELSE j.wish END AS kind
          FROM judged j LEFT JOIN dealt d ON d.place = j.place
         WHERE j.verdict = 'drawn'
    ), drawn AS (
        INSERT INTO cards_draw AS d
               (campaign_id, player_id, source, nonce, key, body_hash, rulebook_version, wish, kind, serial,
                hand_after, escrow_after, used_today_after, used_after, hand_version, at)
        SELECT the_campaign, c.player, c.source, c.nonce, c.key, c.body_hash, the_version, c.wish, c.kind, c.serial,
               c.counts[:c.kind] || (c.counts[c.kind + 1] + 1)::smallint || c.counts[c.kind + 2:], c.escrow,
               c.today_counts[c.source + 1] + 1, c.season_counts[c.source + 1] + 1, c.old_version + 1, gate.at
          FROM chosen c
         ORDER BY c.nonce
        ON CONFLICT (campaign_id, source, nonce) DO NOTHING
        RETURNING d.*
    ), put_back AS (
        -- A unit taken for a scan that lost its nonce to somebody else goes back: neither more nor fewer are issued.
        INSERT INTO cards_stock (campaign_id, kind, serial, available_at)
        SELECT the_campaign, t.kind, t.serial, t.available_at
          FROM taken t
         WHERE NOT EXISTS (SELECT 1 FROM drawn d WHERE d.serial = t.serial AND d.kind = t.kind)
    ), touched AS (
        UPDATE cards_hand h
           SET counts = d.hand_after,
               used_today = c.today_counts[:c.source] || d.used_today_after || c.today_counts[c.source + 2:],
               used = c.season_counts[:c.source] || d.used_after || c.season_counts[c.source + 2:],
               -- A day never goes back, not even if the database's clock does.
               day = greatest(h.day, gate.today),
               version = d.hand_version,
               -- Without wild cards that fill in, what cards_is_complete says is said here: no call for every hand.
               completed_at = CASE WHEN CASE WHEN wild IS NULL THEN NOT EXISTS (
                                                      SELECT FROM unnest(full_set) AS k
                                                       WHERE d.hand_after[k + 1] + d.escrow_after[k + 1] = 0)
                                             ELSE cards_is_complete(d.hand_after, d.escrow_after, full_set, wild) END
                                   THEN coalesce(h.completed_at, gate.at) END
          FROM drawn d JOIN chosen c ON c.player = d.player_id
         WHERE h.id = c.hand_id
    ), answer AS (
        SELECT d.*, j.place, 'drawn' AS status FROM drawn d JOIN judged j ON j.player = d.player_id
        UNION ALL
        SELECT d.*, j.place, 'replayed' FROM judged j JOIN cards_draw d ON d.id = j.first_id WHERE j.verdict = 'replayed'
    )
    SELECT j.place, coalesce(a.status, nullif(j.verdict, 'drawn'), 'code-used'), a.public_id, j.source, a.wish, a.kind, a.serial,
           a.rulebook_version, a.hand_after, a.escrow_after, a.used_today_after, a.used_after, a.hand_version, a.at,
           gate.today, j.quota_day
      FROM judged j LEFT JOIN answer a ON a.place = j.place
     ORDER BY j.place;
END
$$;
