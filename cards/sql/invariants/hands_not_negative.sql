SELECT campaign_id, player_id, counts, escrow
  FROM cards_hand
 WHERE NOT (0 <= ALL (counts) AND 0 <= ALL (escrow) AND 0 <= ALL (used) AND 0 <= ALL (used_today))
