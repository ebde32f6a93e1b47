-- A player has been told of their events up to a number, or needn't be. The feed's lock comes first, so that no event is
-- added meanwhile: if there are newer ones than these the player stays due. Nothing happens if somebody else has moved
-- the number since it was read, or if the player is pushed nothing any more. The ORM has no WITH that changes rows.
WITH fed AS (
    UPDATE fortunes_feed
       SET pushed_seq = %(upto)s
     WHERE player_id = %(player)s AND pushes AND pushed_seq = %(was)s
    RETURNING player_id, seq
), done AS (
    DELETE FROM fortunes_pushdue d USING fed WHERE d.player_id = fed.player_id AND fed.seq = %(upto)s
), later AS (
    UPDATE fortunes_pushdue d
       SET due_at = coalesce(%(again_at)s::timestamptz, fortunes_clock() + interval '3 seconds')
      FROM fed
     WHERE d.player_id = fed.player_id AND fed.seq > %(upto)s
)
SELECT seq FROM fed
