-- Everybody whom a trade, a play or a conversion concerns was told of it exactly once, and nobody else was told anything.
--
-- A direct gift tells giver and receiver. Any other trade tells its proposer and those who are asked that it is proposed;
-- then both sides that it is accepted; and all others, once it is closed for them, that it is: who is asked by several and
-- declines is told then, and needn't hear how it ends.
WITH direct AS (
    SELECT t.*, t.type = 'gift' AND t.audience = 'one' AS at_once FROM cards_trade t
), asked AS (
    SELECT t.public_id, t.recipient_id AS player_id, t.state <> 'open' AS closed, t.state = 'accepted' AS accepted
      FROM direct t WHERE t.audience = 'one' AND NOT t.at_once
    UNION ALL
    SELECT t.public_id, a.player_id, t.state <> 'open' OR a.declined_at IS NOT NULL,
           t.state = 'accepted' AND a.player_id = t.recipient_id
      FROM direct t JOIN cards_addressee a ON a.trade_id = t.id
    UNION ALL
    SELECT t.public_id, t.proposer_id, t.state <> 'open', t.state = 'accepted' FROM direct t WHERE NOT t.at_once
), due AS (
    SELECT 'gift.sent' AS type, t.proposer_id AS player_id, t.public_id FROM direct t WHERE t.at_once AND t.state = 'accepted'
    UNION ALL
    SELECT 'gift.received', t.recipient_id, t.public_id FROM direct t WHERE t.at_once AND t.state = 'accepted'
    UNION ALL
    SELECT 'trade.proposed', a.player_id, a.public_id FROM asked a
    UNION ALL
    SELECT CASE WHEN a.accepted THEN 'trade.accepted' ELSE 'trade.closed' END, a.player_id, a.public_id FROM asked a WHERE a.closed
    UNION ALL
    -- Who comes by a link wasn't asked before.
    SELECT 'trade.accepted', t.recipient_id, t.public_id FROM direct t WHERE t.audience = 'link' AND t.state = 'accepted'
    UNION ALL
    SELECT CASE p.type WHEN 'steal' THEN 'card.taken' WHEN 'wild' THEN 'card.turned' ELSE 'card.copied' END,
           p.player_id, p.public_id
      FROM cards_play p
    UNION ALL
    SELECT 'card.stolen', p.friend_id, p.public_id FROM cards_play p WHERE p.type = 'steal'
    UNION ALL
    SELECT 'card.converted', c.player_id, c.public_id FROM cards_conversion c
), told AS (
    SELECT e.type, e.player_id, coalesce(e.data ->> 'trade', e.data ->> 'play', e.data ->> 'conversion')::uuid AS public_id, count(*) AS times
      FROM fortunes_event e
     WHERE e.type IN ('gift.sent', 'gift.received', 'trade.proposed', 'trade.accepted', 'trade.closed',
                      'card.taken', 'card.stolen', 'card.turned', 'card.copied', 'card.converted')
     GROUP BY 1, 2, 3
)
SELECT type, player_id, public_id, d.public_id IS NOT NULL AS due, t.times
  FROM due d FULL JOIN told t USING (type, player_id, public_id)
 WHERE t.times IS DISTINCT FROM 1 OR d.public_id IS NULL
