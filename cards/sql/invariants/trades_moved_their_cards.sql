-- Each accepted trade moved exactly its cards, once each: what it gives to the recipient, what it takes to the proposer,
-- all at the moment at which it was accepted. Every other trade moved none.
SELECT t.id, t.state, t.gives, t.takes, array_agg(x.kind ORDER BY x.position) AS moved
  FROM cards_trade t
  LEFT JOIN cards_transfer x ON x.trade_id = t.id
 GROUP BY t.id
HAVING CASE WHEN t.state = 'accepted' THEN
           ARRAY(SELECT k FROM unnest(t.gives) AS k ORDER BY k) IS DISTINCT FROM
               coalesce(array_agg(x.kind ORDER BY x.kind)
                            FILTER (WHERE x.giver_id = t.proposer_id AND x.receiver_id = t.recipient_id), '{}')
           OR ARRAY(SELECT k FROM unnest(t.takes) AS k ORDER BY k) IS DISTINCT FROM
               coalesce(array_agg(x.kind ORDER BY x.kind)
                            FILTER (WHERE x.giver_id = t.recipient_id AND x.receiver_id = t.proposer_id), '{}')
           OR count(x.id) <> cardinality(t.gives) + cardinality(t.takes)
           OR bool_or(x.campaign_id <> t.campaign_id OR x.at <> t.closed_at)
       ELSE count(x.id) > 0 END
