SELECT * FROM cards_cancel(%(trade)s, %(player)s, %(route)s, %(key)s, %(body_hash)s, %(state)s, %(closed)s::jsonb)
