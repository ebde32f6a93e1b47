SELECT body_hash, result
  FROM fortunes_idempotencykey
 WHERE player_id = %(player)s AND route = %(route)s AND key = %(key)s
