-- Both sides of a pair in one statement and of one instant, the lower player's row first: the lock order.
-- Whoever has blocked the other keeps the instant of that, or the other's block would show in it.
-- The ORM's update_conflicts gives neither one instant nor an order.
WITH clock AS MATERIALIZED (SELECT fortunes_clock() AS at)
INSERT INTO accounts_friendship AS known (player_id, friend_id, state, since)
SELECT side.player_id, side.friend_id, side.state, clock.at
  FROM clock,
       (VALUES (%(player)s::bigint, %(friend)s::bigint, %(mine)s::text),
               (%(friend)s::bigint, %(player)s::bigint, %(theirs)s::text)) AS side (player_id, friend_id, state)
 ORDER BY side.player_id
    ON CONFLICT (player_id, friend_id) DO UPDATE
   SET state = excluded.state,
       since = CASE WHEN known.state IN ('blocked', 'mutual') AND excluded.state IN ('blocked', 'mutual')
                    THEN known.since ELSE excluded.since END
RETURNING player_id, since
