-- Ordered, so that two batches of first scans wait for each other in one direction only.
WITH joined AS (
    INSERT INTO fortunes_membership (campaign_id, player_id)
    SELECT %(campaign)s, p.id FROM unnest(%(players)s::bigint[]) AS p (id) ORDER BY p.id
    ON CONFLICT (player_id, campaign_id) DO NOTHING
)
INSERT INTO cards_hand (campaign_id, player_id, counts, escrow, used_today, used, version)
SELECT %(campaign)s, p.id, kinds.zeros, kinds.zeros, sources.zeros, sources.zeros, 0
  FROM unnest(%(players)s::bigint[]) AS p (id),
       (SELECT array_fill(0::smallint, ARRAY[count(*)::int]) FROM cards_cardkind WHERE campaign_id = %(campaign)s) AS kinds (zeros),
       (SELECT array_fill(0::smallint, ARRAY[count(*)::int]) FROM cards_source WHERE campaign_id = %(campaign)s) AS sources (zeros)
 ORDER BY p.id
ON CONFLICT (campaign_id, player_id) DO NOTHING
