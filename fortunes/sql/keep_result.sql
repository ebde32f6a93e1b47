UPDATE fortunes_idempotencykey
   SET result = %(result)s
 WHERE player_id = %(player)s AND route = %(route)s AND key = %(key)s AND result IS NULL
