-- Who is asked by several is an addressee, who is asked by a link has one, and who is asked alone is the recipient.
SELECT a.trade_id, 'addressee' AS what, a.player_id
  FROM cards_addressee a JOIN cards_trade t ON t.id = a.trade_id
 WHERE t.audience <> 'some' OR a.campaign_id <> t.campaign_id OR a.player_id = t.proposer_id
UNION ALL
SELECT t.id, 'nobody is asked', t.proposer_id
  FROM cards_trade t
 WHERE t.audience = 'some' AND NOT EXISTS (SELECT 1 FROM cards_addressee a WHERE a.trade_id = t.id)
UNION ALL
SELECT t.id, 'accepted by one who was not asked, or had declined', t.recipient_id
  FROM cards_trade t
 WHERE t.audience = 'some' AND t.state = 'accepted'
   AND NOT EXISTS (SELECT 1 FROM cards_addressee a
                    WHERE a.trade_id = t.id AND a.player_id = t.recipient_id AND a.declined_at IS NULL)
UNION ALL
-- It is declined when the last of several has declined, and not before; a link can't be declined.
SELECT t.id, 'declined', t.proposer_id
  FROM cards_trade t
 WHERE t.audience = 'some' AND t.state IN ('open', 'declined')
   AND (t.state = 'open') <> EXISTS (SELECT 1 FROM cards_addressee a WHERE a.trade_id = t.id AND a.declined_at IS NULL)
    OR t.audience = 'link' AND t.state = 'declined'
UNION ALL
SELECT coalesce(t.id, l.trade_id), 'link', coalesce(t.proposer_id, l.player_id)
  FROM (SELECT * FROM cards_trade WHERE audience = 'link') t FULL JOIN cards_sharelink l ON l.trade_id = t.id
 WHERE t.id IS NULL OR l.trade_id IS NULL OR l.player_id <> t.proposer_id OR l.campaign_id <> t.campaign_id
UNION ALL
SELECT n.trade_id, 'note', n.player_id
  FROM cards_tradenote n JOIN cards_trade t ON t.id = n.trade_id
 WHERE n.player_id <> t.proposer_id
UNION ALL
-- A gift to a friend is given at once. A swap isn't made with whoever comes along.
SELECT t.id, t.type || ' to ' || t.audience, t.proposer_id
  FROM cards_trade t
 WHERE t.type = 'gift' AND (t.audience = 'some' OR t.audience = 'one' AND (t.state <> 'accepted' OR t.expires_at IS NOT NULL))
    OR t.type = 'swap' AND t.audience = 'link'
UNION ALL
-- Who accepts is in time; nobody is too late before that.
SELECT t.id, t.state || ' at the wrong time', t.proposer_id
  FROM cards_trade t
 WHERE t.state = 'accepted' AND t.closed_at >= t.expires_at OR t.state = 'expired' AND t.closed_at < t.expires_at
