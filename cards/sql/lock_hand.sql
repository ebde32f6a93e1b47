SELECT counts, escrow, version
  FROM cards_hand
 WHERE campaign_id = %(campaign)s AND player_id = %(player)s
   FOR NO KEY UPDATE
