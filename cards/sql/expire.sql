SELECT * FROM cards_expire(%(campaign)s, %(most)s, %(state)s)
