-- The ORM's get_or_create catches an IntegrityError, and its ignore_conflicts needs a second statement as well.
INSERT INTO fortunes_feed AS f (player_id, seq) VALUES (%(player)s, 0)
ON CONFLICT (player_id) DO UPDATE SET seq = f.seq
