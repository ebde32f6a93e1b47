-- Events with a per-player gapless number. The number comes from an upsert of the player's feed row, which is held until
-- commit: a plain sequence can commit out of order and hide events. Players in ascending order, last in the
-- transaction: the lock order. The ORM has no ON CONFLICT DO UPDATE that returns what it computed.
--
-- The arrays are parallel, one element an event; events of one player keep the order of the arrays.
CREATE FUNCTION fortunes_append_events(
    the_campaign bigint, players bigint[], types text[], data jsonb[]
) RETURNS TABLE (player bigint, seq bigint)
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RETURN QUERY
    WITH item AS (
        SELECT i.player, i.type, i.data, i.place,
               row_number() OVER (PARTITION BY i.player ORDER BY i.place) AS nth
          FROM unnest(players, types, data) WITH ORDINALITY AS i (player, type, data, place)
    ), feed AS (
        INSERT INTO fortunes_feed AS f (player_id, seq)
        SELECT i.player, count(*) FROM item i GROUP BY i.player ORDER BY i.player
        ON CONFLICT (player_id) DO UPDATE SET seq = f.seq + excluded.seq
        RETURNING f.player_id, f.seq
    ), numbered AS (
        SELECT i.player, i.type, i.data,
               feed.seq - (max(i.nth) OVER (PARTITION BY i.player)) + i.nth AS seq
          FROM item i JOIN feed ON feed.player_id = i.player
    ), written AS (
        INSERT INTO fortunes_event (player_id, seq, campaign_id, type, data)
        SELECT n.player, n.seq, the_campaign, n.type, n.data FROM numbered n
        RETURNING player_id, fortunes_event.seq
    )
    SELECT w.player_id, max(w.seq) FROM written w GROUP BY w.player_id;
END
$$;
