UPDATE cards_hand
   SET counts = %(counts)s::smallint[], version = %(version)s
 WHERE campaign_id = %(campaign)s AND player_id = %(player)s AND version = %(version)s - 1
