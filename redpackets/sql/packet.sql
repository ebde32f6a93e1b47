-- All that is known of one player's packet in one snapshot. A payout counts only once the split is sealed.
SELECT c.reveal_at, c.settled_at, fortunes_clock() AS server_time, p.id AS pool,
       o.amount_fen, e.at AS opened_at, coalesce(w.balance_fen, 0) AS balance_fen
  FROM fortunes_campaign c
  LEFT JOIN redpackets_pool p ON p.campaign_id = c.id
  LEFT JOIN redpackets_payout o ON o.pool_id = p.id AND o.player_id = %(player)s AND c.settled_at IS NOT NULL
  LEFT JOIN redpackets_ledgerentry e ON e.business_key = 'payout:' || o.pool_id || ':' || o.player_id
  LEFT JOIN redpackets_wallet w ON w.player_id = %(player)s
 WHERE c.id = %(campaign)s
