-- Players have been told of their events up to a number, or needn't be. The feeds' locks come first, so that no event is
-- added meanwhile: whose feed has newer ones stays due. Nothing happens to those whose number somebody else has moved
-- since it was read, who are told nothing any more, or whose feed is in use: nobody waits here, for who plays comes
-- first. The ORM has no WITH that changes rows.
WITH read AS (
    SELECT r.player, r.was, r.upto, r.again_at
      FROM unnest(%(players)s::bigint[], %(was)s::bigint[], %(upto)s::bigint[], %(again_at)s::timestamptz[])
               AS r (player, was, upto, again_at)
), held AS MATERIALIZED (
    SELECT f.player_id
      FROM fortunes_feed f
      JOIN read r ON r.player = f.player_id AND r.was = f.pushed_seq
     WHERE f.pushes
       FOR NO KEY UPDATE OF f SKIP LOCKED
), fed AS (
    UPDATE fortunes_feed f
       SET pushed_seq = r.upto
      FROM held h
      JOIN read r ON r.player = h.player_id
     WHERE f.player_id = h.player_id
    RETURNING f.player_id, f.seq, r.upto, r.again_at
), done AS (
    DELETE FROM fortunes_pushdue d USING fed WHERE d.player_id = fed.player_id AND fed.seq = fed.upto
), later AS (
    UPDATE fortunes_pushdue d
       SET due_at = coalesce(fed.again_at, fortunes_clock() + interval '3 seconds')
      FROM fed
     WHERE d.player_id = fed.player_id AND fed.seq > fed.upto
)
SELECT player_id FROM fed
