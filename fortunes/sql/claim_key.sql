-- The winner inserts; the loser waits for the winner's commit and then inserts nothing.
-- The ORM's ignore_conflicts does not tell how many rows it inserted.
INSERT INTO fortunes_idempotencykey (player_id, route, key, body_hash)
VALUES (%(player)s, %(route)s, %(key)s, %(body_hash)s)
ON CONFLICT (player_id, route, key) DO NOTHING
