-- The ORM's ignore_conflicts does not tell how many rows it inserted.
INSERT INTO accounts_phone (player_id, number_hash, hash_key_id, sealed, seal_key_id)
VALUES (%(player)s, %(hash)s, %(hash_key)s, %(sealed)s, %(seal_key)s)
ON CONFLICT DO NOTHING
