-- Of two sign-ups for one username, the later waits for the earlier and then inserts nothing.
-- The ORM's ignore_conflicts does not tell how many rows it inserted.
INSERT INTO accounts_player (public_id, username, nickname, password, is_staff, is_superuser, is_active, friend_count)
VALUES (%(public_id)s, %(username)s, %(nickname)s, %(password)s, false, false, true, 0)
ON CONFLICT (username) DO NOTHING
RETURNING id
