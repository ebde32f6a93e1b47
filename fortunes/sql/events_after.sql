-- The next events of many feeds, in one round trip: each one's after its own number, at most so many of each. The data
-- as text, because it is passed on as it is. The ORM has no LATERAL.
SELECT w.place, e.type, e.seq, e.at, c.slug AS campaign, e.data::text AS data
  FROM unnest(%(players)s::bigint[], %(after)s::bigint[]) WITH ORDINALITY AS w (player, after, place)
 CROSS JOIN LATERAL (
           SELECT v.type, v.seq, v.at, v.campaign_id, v.data
             FROM fortunes_event v
            WHERE v.player_id = w.player AND v.seq > w.after
            ORDER BY v.seq LIMIT %(most)s
       ) e
  LEFT JOIN fortunes_campaign c ON c.id = e.campaign_id
 ORDER BY w.place, e.seq
