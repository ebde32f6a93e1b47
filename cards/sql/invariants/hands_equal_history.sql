-- Each Hand is what its player's Draws and Transfers add up to.
WITH moved AS (
    SELECT campaign_id, player_id, kind, 1 AS cards FROM cards_draw
    UNION ALL
    SELECT campaign_id, receiver_id, kind, 1 FROM cards_transfer WHERE receiver_id IS NOT NULL
    UNION ALL
    SELECT campaign_id, giver_id, kind, -1 FROM cards_transfer WHERE giver_id IS NOT NULL
), history AS (
    SELECT campaign_id, player_id, kind::bigint AS kind, sum(cards) AS cards FROM moved GROUP BY campaign_id, player_id, kind
), held AS (
    SELECT h.campaign_id, h.player_id, c.place - 1 AS kind, c.cards + h.escrow[c.place] AS cards
      FROM cards_hand h, unnest(h.counts) WITH ORDINALITY AS c (cards, place)
)
SELECT campaign_id, player_id, kind, held.cards AS held, history.cards AS history
  FROM held FULL JOIN history USING (campaign_id, player_id, kind)
 WHERE coalesce(held.cards, 0) <> coalesce(history.cards, 0)
