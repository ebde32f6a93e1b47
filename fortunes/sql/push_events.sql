-- The newest events of each of many ranges: a player's, after one number and up to another. The ORM has no LATERAL.
SELECT r.place::integer AS place, e.seq, e.type, e.at, e.data, c.slug AS campaign
  FROM unnest(%(players)s::bigint[], %(after)s::bigint[], %(upto)s::bigint[]) WITH ORDINALITY
           AS r (player, after, upto, place)
 CROSS JOIN LATERAL (
           SELECT v.seq, v.type, v.at, v.data, v.campaign_id
             FROM fortunes_event v
            WHERE v.player_id = r.player AND v.seq > r.after AND v.seq <= r.upto
            ORDER BY v.seq DESC
            LIMIT %(most)s
       ) e
  LEFT JOIN fortunes_campaign c ON c.id = e.campaign_id
 ORDER BY r.place, e.seq
