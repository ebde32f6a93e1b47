-- The weights of one chunk's winners in random mode, summed: w = bytes 0 to 2 of SHA-256(seed || int64be(pool) ||
-- int64be(player)), plus 1 (redpackets/splitting.py; post_chunk.sql computes the same).
SELECT coalesce(sum(1 + (get_byte(d, 0) << 16) + (get_byte(d, 1) << 8) + get_byte(d, 2)), 0)::bigint AS weight
  FROM (
        SELECT sha256(%(seed)s::bytea || int8send(%(pool)s::bigint) || int8send(w.player_id)) AS d
          FROM redpackets_winners(
                   %(campaign)s, %(low)s, %(high)s, %(kinds)s::smallint[], %(wild)s::smallint,
                   %(frozen_at)s::timestamptz
               ) w
        OFFSET 0
       ) winner
