-- Minted = held + in escrow + consumed, per campaign and kind. Draws mint, and so do the plays of wild and copy cards
-- and conversions.
WITH minted AS (
    SELECT campaign_id, kind, sum(cards) AS cards
      FROM (SELECT campaign_id, kind, count(*) AS cards FROM cards_draw GROUP BY campaign_id, kind
            UNION ALL
            SELECT campaign_id, kind, count(*) FROM cards_transfer WHERE giver_id IS NULL GROUP BY campaign_id, kind) AS each
     GROUP BY campaign_id, kind
), consumed AS (
    SELECT campaign_id, kind, count(*) AS cards FROM cards_transfer WHERE receiver_id IS NULL GROUP BY campaign_id, kind
), held AS (
    SELECT h.campaign_id, c.place - 1 AS kind, sum(c.cards + h.escrow[c.place]) AS cards
      FROM cards_hand h, unnest(h.counts) WITH ORDINALITY AS c (cards, place)
     GROUP BY h.campaign_id, c.place
)
SELECT campaign_id, kind, minted.cards AS minted, held.cards AS held, consumed.cards AS consumed
  FROM held FULL JOIN minted USING (campaign_id, kind) FULL JOIN consumed USING (campaign_id, kind)
 WHERE coalesce(minted.cards, 0) <> coalesce(held.cards, 0) + coalesce(consumed.cards, 0)
