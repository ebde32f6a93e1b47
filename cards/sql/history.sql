-- The newest moves of one player's cards: draws, and transfers from and to them. Of each of the three as many as are wanted
-- are read from the end of its index, then they are merged. Within a table the order is that of the ids, whatever the clock
-- did: `till` is the earliest instant so far. `%(draw)s` and `%(transfer)s` are where the page before ended, and `position`
-- says that of each row for the page after it; what is written later lies beyond it, also where no row of a table is shown yet.
-- The ORM can't limit the parts of a union with columns of several tables, nor carry a minimum along.
SELECT m.at, m.comes, m.kind, m.source, m.serial, m.draw_id AS draw, t.public_id AS trade, p.public_id AS play,
       c.public_id AS conversion,
       CASE WHEN t.audience = 'link' THEN 'link' WHEN m.conversion IS NOT NULL THEN 'vote' ELSE coalesce(t.type, p.type) END AS way,
       coalesce(m.other_id, CASE WHEN m.comes THEN p.friend_id END) AS other_id,
       coalesce(min(m.draw) OVER above, max(m.draw) OVER () + 1, 0) || '.' ||
           coalesce(min(m.transfer) OVER above, max(m.transfer) OVER () + 1, 0) AS position
  FROM (SELECT w.*, min(w.at) OVER (PARTITION BY w.transfer IS NULL ORDER BY coalesce(w.transfer, w.draw) DESC) AS till
          FROM (
       (SELECT d.at, true AS comes, d.kind, d.source, d.serial, d.public_id AS draw_id, d.id AS draw,
               NULL::bigint AS transfer, NULL::bigint AS trade, NULL::bigint AS play, NULL::bigint AS conversion,
               NULL::bigint AS other_id
          FROM cards_draw d
         WHERE d.player_id = %(player)s AND d.campaign_id = %(campaign)s AND d.id < %(draw)s
         ORDER BY d.id DESC LIMIT %(limit)s)
       UNION ALL
       (SELECT g.at, false, g.kind, NULL, NULL, NULL, NULL, g.id, g.trade_id, g.play_id, g.conversion_id, g.receiver_id
          FROM cards_transfer g
         WHERE g.giver_id = %(player)s AND g.campaign_id = %(campaign)s AND g.id < %(transfer)s
         ORDER BY g.id DESC LIMIT %(limit)s)
       UNION ALL
       (SELECT r.at, true, r.kind, NULL, NULL, NULL, NULL, r.id, r.trade_id, r.play_id, r.conversion_id, r.giver_id
          FROM cards_transfer r
         WHERE r.receiver_id = %(player)s AND r.campaign_id = %(campaign)s AND r.id < %(transfer)s
         ORDER BY r.id DESC LIMIT %(limit)s)
       ) AS w) AS m
  LEFT JOIN cards_trade t ON t.id = m.trade
  LEFT JOIN cards_play p ON p.id = m.play
  LEFT JOIN cards_conversion c ON c.id = m.conversion
WINDOW above AS (ORDER BY m.till DESC, m.transfer DESC NULLS LAST, m.draw DESC ROWS UNBOUNDED PRECEDING)
 ORDER BY m.till DESC, m.transfer DESC NULLS LAST, m.draw DESC
 LIMIT %(limit)s
