-- In escrow is exactly what open gifts by link hold, overdue ones too until somebody closes them.
WITH offered AS (
    SELECT t.campaign_id, t.proposer_id AS player_id, g.kind::bigint AS kind, count(*) AS cards
      FROM cards_trade t, unnest(t.gives) AS g (kind)
     WHERE t.state = 'open' AND t.type = 'gift' AND t.audience = 'link'
     GROUP BY t.campaign_id, t.proposer_id, g.kind
), held AS (
    SELECT h.campaign_id, h.player_id, e.place - 1 AS kind, e.cards
      FROM cards_hand h, unnest(h.escrow) WITH ORDINALITY AS e (cards, place)
     WHERE 0 <> ANY (h.escrow) AND e.cards <> 0
)
SELECT campaign_id, player_id, kind, held.cards AS held, offered.cards AS offered
  FROM held FULL JOIN offered USING (campaign_id, player_id, kind)
 WHERE held.cards IS DISTINCT FROM offered.cards
