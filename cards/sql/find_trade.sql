-- One trade by either of its ids with all that an answer about it needs, and whether this player was asked by it. In one round
-- trip: the ORM would make three of it.
SELECT t.id, t.public_id, t.campaign_id, t.type, t.state, t.audience, t.proposer_id, proposer.public_id AS proposer,
       t.recipient_id, recipient.public_id AS recipient, t.gives, t.takes, t.created_at, t.expires_at,
       note.text AS note, link.channel, link.code,
       coalesce(t.recipient_id = %(player_id)s, false)
           OR EXISTS (SELECT 1 FROM cards_addressee a WHERE a.trade_id = t.id AND a.player_id = %(player_id)s) AS asked
  FROM cards_trade t
  JOIN accounts_player proposer ON proposer.id = t.proposer_id
  LEFT JOIN accounts_player recipient ON recipient.id = t.recipient_id
  LEFT JOIN cards_tradenote note ON note.trade_id = t.id
  LEFT JOIN cards_sharelink link ON link.trade_id = t.id
 WHERE t.public_id = %(public_id)s::uuid OR t.id = %(id)s::bigint
