-- How many cards of a kind are held (what is in escrow too), by how many players, and in how many open trades it is.
SELECT coalesce(sum(h.counts[%(kind)s + 1] + h.escrow[%(kind)s + 1]), 0)::bigint AS cards, count(*) AS players,
       (SELECT count(*) FROM cards_trade t
         WHERE t.campaign_id = %(campaign)s AND t.state = 'open' AND %(kind)s = ANY (t.gives || t.takes)) AS trades
  FROM cards_hand h
 WHERE h.campaign_id = %(campaign)s AND h.counts[%(kind)s + 1] + h.escrow[%(kind)s + 1] > 0
