-- Nobody is told of this player's events any more. One statement, as the row that is due goes under the feed's lock.
WITH fed AS (
    UPDATE fortunes_feed SET pushes = false, pushed_seq = seq WHERE player_id = %(player)s RETURNING player_id
)
DELETE FROM fortunes_pushdue d USING fed WHERE d.player_id = fed.player_id
