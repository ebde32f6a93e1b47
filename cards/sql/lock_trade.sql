SELECT * FROM cards_lock_trade(%(trade)s, %(player)s, %(route)s, %(key)s, %(body_hash)s)
