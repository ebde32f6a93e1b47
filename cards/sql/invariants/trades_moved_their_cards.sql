-- Each accepted trade moved exactly its cards, once; every other trade moved none.
SELECT t.id, t.state, t.gives, m.kinds
  FROM cards_trade t
  LEFT JOIN LATERAL (SELECT array_agg(x.kind::integer ORDER BY x.position) AS kinds
                       FROM cards_transfer x
                      WHERE x.trade_id = t.id AND x.giver_id = t.proposer_id AND x.receiver_id = t.recipient_id) m ON true
 WHERE CASE WHEN t.state = 'accepted' THEN m.kinds IS DISTINCT FROM t.gives::integer[] ELSE m.kinds IS NOT NULL END
UNION ALL
SELECT x.trade_id, NULL, NULL, NULL
  FROM cards_transfer x LEFT JOIN cards_trade t ON t.id = x.trade_id
 WHERE t.id IS NULL OR x.giver_id <> t.proposer_id OR x.receiver_id IS DISTINCT FROM t.recipient_id
