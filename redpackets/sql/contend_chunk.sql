-- The winners of one chunk that may have drawn one of the jackpots, of which there are `most`: those with the smallest
-- (j, player). j is bytes 11 to 18 of the digest without its highest bit (redpackets/splitting.py). Who is beaten by so
-- many contenders of other chunks already has drawn none, whatever is still to come: whether another worker's are seen
-- here changes how many rows are kept, and not who draws.
INSERT INTO redpackets_contender (settlement_id, j, player_id)
SELECT %(settlement)s, contender.j, contender.player_id
  FROM (
        SELECT ('x' || encode(
                   substr(sha256(%(seed)s::bytea || int8send(%(pool)s::bigint) || int8send(w.player_id)), 12, 8), 'hex'
               ))::bit(64)::bigint & 9223372036854775807 AS j,
               w.player_id
          FROM redpackets_winners(
                   %(campaign)s, %(low)s, %(high)s, %(kinds)s::smallint[], %(wild)s::smallint,
                   %(frozen_at)s::timestamptz
               ) w
         ORDER BY j, w.player_id
         LIMIT %(most)s
       ) contender
 WHERE NOT EXISTS (
        SELECT
          FROM (
                SELECT c.j, c.player_id
                  FROM redpackets_contender c
                 WHERE c.settlement_id = %(settlement)s
                 ORDER BY c.j, c.player_id
                OFFSET %(most)s - 1 LIMIT 1
               ) last
         WHERE (last.j, last.player_id) < (contender.j, contender.player_id)
       )
