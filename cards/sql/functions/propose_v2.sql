-- Propose a trade: a request, a swap, or a gift by link, which goes into escrow until somebody claims it. One round trip, as
-- with `cards_give`; what it does in five statements would hold the proposer's hand while the client thinks.
--
-- Locks, in the one order: gate (shared), the proposer's hand, the proposer's own row (shared), feeds. Friendships are only
-- looked at: they are judged again, under their lock, when somebody accepts. The hand is also what guards the limits: only its
-- owner proposes.
--
-- `friends` are the public ids of those who are asked, null for all friends; for the audience 'link' nobody is. `gives` and
-- `takes` have one ordinal a card; `barred` are the special kinds that aren't allowed, which nobody offers or asks for. They,
-- the limits and `lifetime_h` are of `the_version` of the rulebook. An expired trade isn't counted as open, whenever that is
-- written down. `the_code` and `the_channel` are of the link. `proposed` is the payload of the event, to which the end is
-- added. `facts`, `players` and `seqs` as in `cards_give`.
--
-- Statuses: proposed, replayed, key-reused, early, frozen, missing, stale-rulebook, rule-forbids (`facts` say the kind),
-- no-hand (the caller makes the proposer's and asks again), erased (the proposer), friend-not-found (one of those named, or
-- nobody to ask), account-too-new, card-not-held, trade-limit, link-limit.
CREATE FUNCTION cards_propose(
    the_campaign bigint, the_version integer, barred smallint[], cooling_h integer, lifetime_h integer,
    open_trades integer, open_links integer, links_per_day integer, proposals_per_day integer,
    proposer bigint, the_type text, the_audience text, friends uuid[], gives smallint[], takes smallint[],
    the_note text, the_code text, the_channel text,
    the_route text, the_key text, the_body_hash bytea, the_trade uuid, the_state text, proposed jsonb,
    OUT status text, OUT facts text, OUT players bigint[], OUT seqs bigint[]
)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET jit = off
SET lock_timeout = '1s'
AS $$
DECLARE
    gate record;
    season record;
    used record;
    trade_id bigint;
    mine cards_hand;
    asked bigint[] := '{}';
    until timestamptz;
    ends timestamptz;
BEGIN
    PERFORM fortunes_gate_lock(the_campaign);
    mine := cards_lock_hand(the_campaign, proposer);
    SELECT * INTO status, facts FROM cards_first_answer(proposer, the_route, the_key, the_body_hash);
    IF status IS NOT NULL THEN
        RETURN;
    END IF;

    -- An erasure holds its player from beginning to end: it must not miss this note, and it waits for feeds, which we hold when
    -- PostgreSQL looks whether the proposer that we refer to is there.
    PERFORM 1 FROM accounts_player p WHERE p.id = proposer AND p.erased_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        status := 'erased';
        RETURN;
    END IF;

    SELECT * INTO gate FROM fortunes_gate_look(the_campaign);
    IF the_audience <> 'link' THEN
        SELECT coalesce(array_agg(f.friend_id ORDER BY f.friend_id), '{}') INTO asked
          FROM accounts_friendship f JOIN accounts_player p ON p.id = f.friend_id
         WHERE f.player_id = proposer AND f.state = 'friends' AND p.is_active AND (friends IS NULL OR p.public_id = ANY (friends));
    END IF;
    IF cardinality(gives) > 0 THEN
        until := cards_cooling_until(proposer, cooling_h, gate.at);
    END IF;
    status := CASE WHEN gate.verdict <> 'live' THEN gate.verdict
                   WHEN gate.rulebook_version IS DISTINCT FROM the_version THEN 'stale-rulebook'
                   WHEN (gives || takes) && barred THEN 'rule-forbids'
                   WHEN the_audience <> 'link' AND cardinality(asked) < coalesce(cardinality(friends), 1) THEN 'friend-not-found'
                   WHEN until IS NOT NULL THEN 'account-too-new'
                   WHEN mine.id IS NULL AND cardinality(gives) = 0 THEN 'no-hand'
                   WHEN mine.id IS NULL OR NOT 0 <= ALL (cards_shifted(mine.counts, gives, -1)) THEN 'card-not-held' END;
    IF status IS NOT NULL THEN
        facts := json_build_object('until', until, 'kind', cards_first_barred(gives || takes, barred))::text;
        RETURN;
    END IF;

    SELECT c.closes_at, gate.today::timestamp AT TIME ZONE c.tz AS midnight INTO season
      FROM fortunes_campaign c WHERE c.id = the_campaign;
    SELECT count(*) AS trades, count(*) FILTER (WHERE t.audience = 'link') AS links INTO used
      FROM cards_trade t
     WHERE t.proposer_id = proposer AND t.campaign_id = the_campaign AND t.state = 'open' AND t.expires_at > gate.at;
    IF used.trades >= open_trades THEN
        status := 'trade-limit';
        facts := json_build_object('limit', open_trades)::text;
    ELSIF the_audience = 'link' AND used.links >= open_links THEN
        status := 'link-limit';
        facts := json_build_object('limit', open_links)::text;
    ELSIF the_audience = 'link' AND links_per_day <= (
            SELECT count(*) FROM cards_sharelink l
             WHERE l.player_id = proposer AND l.campaign_id = the_campaign AND l.created_at >= season.midnight) THEN
        status := 'link-limit';
        facts := json_build_object('limit', links_per_day)::text;
    ELSIF proposals_per_day <= (
            -- Direct gifts are no proposals and have no end.
            SELECT count(*) FROM cards_trade t
             WHERE t.proposer_id = proposer AND t.campaign_id = the_campaign AND t.created_at >= season.midnight
               AND t.expires_at IS NOT NULL) THEN
        status := 'trade-limit';
        facts := json_build_object('limit', proposals_per_day)::text;
    END IF;
    IF status IS NOT NULL THEN
        RETURN;
    END IF;

    IF the_type = 'gift' THEN
        mine := cards_escrow(mine, gives, 1);
    END IF;
    ends := least(gate.at + make_interval(hours => lifetime_h), season.closes_at);
    INSERT INTO cards_trade (public_id, campaign_id, type, state, audience, proposer_id, recipient_id, gives, takes,
                             rulebook_version, created_at, expires_at)
    VALUES (the_trade, the_campaign, the_type, the_state, the_audience, proposer,
            CASE WHEN the_audience = 'one' THEN asked[1] END, gives, takes, the_version, gate.at, ends)
    RETURNING id INTO trade_id;
    IF the_audience = 'some' THEN
        INSERT INTO cards_addressee (trade_id, campaign_id, player_id)
        SELECT trade_id, the_campaign, friend FROM unnest(asked) AS friend;
    ELSIF the_audience = 'link' THEN
        INSERT INTO cards_sharelink (trade_id, campaign_id, player_id, code, channel, created_at)
        VALUES (trade_id, the_campaign, proposer, the_code, the_channel, gate.at);
    END IF;
    IF the_note <> '' THEN
        INSERT INTO cards_tradenote (trade_id, player_id, text) VALUES (trade_id, proposer, the_note);
    END IF;

    status := 'proposed';
    facts := json_build_object('trade', the_trade, 'at', NULL, 'created_at', gate.at, 'expires_at', ends, 'code', the_code,
                               'counts', mine.counts, 'escrow', mine.escrow, 'version', mine.version)::text;
    INSERT INTO fortunes_idempotencykey (player_id, route, key, body_hash, result)
    VALUES (proposer, the_route, the_key, the_body_hash, facts);
    proposed := proposed || jsonb_build_object('expires_at', cards_instant(ends));
    SELECT array_agg(e.player), array_agg(e.seq) INTO players, seqs
      FROM fortunes_append_events(
               the_campaign, proposer || asked, array_fill('trade.proposed'::text, ARRAY[1 + cardinality(asked)]),
               array_fill(proposed, ARRAY[1 + cardinality(asked)])) e;
END
$$;
