-- The payouts of one chunk, in one statement: base = floor(P' * w / W), one fen more for the R_k = A_k - sum(base)
-- winners with the smallest (h, player), and the prizes of those whose (j, player) come up to a tier's. P' * w stays
-- under 2^63 by the pool's CHECK. w, h and j are bytes 0 to 2, 3 to 10 and 11 to 18 of SHA-256(seed || int64be(pool) ||
-- int64be(player)) (redpackets/splitting.py); where they decide nothing they are not computed. The caller compares what
-- comes back with the chunk and rolls back if it differs. The ORM would go row by row.
WITH winner AS MATERIALIZED (
    SELECT d.player_id,
           %(share)s::bigint * CASE WHEN %(random)s
               THEN 1 + (get_byte(d.bytes, 0) << 16) + (get_byte(d.bytes, 1) << 8) + get_byte(d.bytes, 2)
               ELSE 1
           END / %(weight)s::bigint AS base,
           ('x' || encode(substr(d.bytes, 4, 8), 'hex'))::bit(64)::bigint & 9223372036854775807 AS h,
           CASE WHEN %(drawn)s
               THEN ('x' || encode(substr(d.bytes, 12, 8), 'hex'))::bit(64)::bigint & 9223372036854775807
           END AS j
      FROM (
            SELECT w.player_id,
                   sha256(%(seed)s::bytea || int8send(%(pool)s::bigint) || int8send(w.player_id)) AS bytes
              FROM redpackets_winners(
                       %(campaign)s, %(low)s, %(high)s, %(kinds)s::smallint[], %(wild)s::smallint,
                       %(frozen_at)s::timestamptz
                   ) w
            OFFSET 0
           ) d
), bonus AS (
    SELECT %(pot)s::bigint - coalesce(sum(w.base), 0)::bigint AS fen FROM winner w
), threshold AS (
    SELECT w.h, w.player_id
      FROM winner w
     ORDER BY w.h, w.player_id
    OFFSET (SELECT greatest(fen - 1, 0) FROM bonus)
     LIMIT (SELECT (fen > 0)::integer FROM bonus)
), posted AS (
    INSERT INTO redpackets_payout (pool_id, player_id, amount_fen)
    SELECT %(pool)s::bigint, w.player_id,
           %(minimum)s::bigint + w.base + coalesce((w.h, w.player_id) <= (t.h, t.player_id), false)::integer
               + CASE WHEN w.j <= %(last_j)s::bigint THEN coalesce((
                     SELECT tier.prize_fen
                       FROM unnest(%(prizes)s::bigint[], %(js)s::bigint[], %(players)s::bigint[])
                            WITH ORDINALITY AS tier (prize_fen, j, player_id, number)
                      WHERE (w.j, w.player_id) <= (tier.j, tier.player_id)
                      ORDER BY tier.number
                      LIMIT 1
                 ), 0) ELSE 0 END
      FROM winner w
      LEFT JOIN threshold t ON true
    RETURNING player_id, amount_fen
)
SELECT count(*) AS winners,
       coalesce(sum(p.amount_fen), 0)::bigint AS paid_fen,
       (SELECT fen FROM bonus) AS bonus,
       (SELECT h FROM threshold) AS threshold_h,
       (SELECT player_id FROM threshold) AS threshold_player,
       sha256(coalesce(string_agg(int8send(p.player_id), ''::bytea ORDER BY p.player_id), ''::bytea)) AS ids_hash,
       sha256(coalesce(
           string_agg(int8send(p.player_id) || int8send(p.amount_fen), ''::bytea ORDER BY p.player_id), ''::bytea
       )) AS payouts_hash
  FROM posted p
