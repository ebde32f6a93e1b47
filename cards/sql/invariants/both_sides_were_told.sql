-- Each accepted gift was told once to its giver and once to its receiver.
SELECT t.id, told.type, told.player_id, count(e.id) AS events
  FROM cards_trade t
 CROSS JOIN LATERAL (VALUES ('gift.sent', t.proposer_id), ('gift.received', t.recipient_id)) AS told (type, player_id)
  LEFT JOIN fortunes_event e
    ON e.player_id = told.player_id AND e.type = told.type AND e.data ->> 'trade' = t.public_id::text
 WHERE t.state = 'accepted' AND t.type = 'gift'
 GROUP BY t.id, told.type, told.player_id
HAVING count(e.id) <> 1
