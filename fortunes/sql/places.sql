-- Where many sockets' feeds are: the newest numbers, and the first ones kept beyond those that a client has seen. In one
-- statement, so that they belong together. The ORM has no unnest.
SELECT coalesce(f.seq, 0) AS seq,
       coalesce(b.seq, 0) AS campaign_seq,
       (SELECT min(e.seq) FROM fortunes_event e
         WHERE e.player_id = w.player AND e.seq > w.seen) AS next_seq,
       (SELECT min(o.seq) FROM fortunes_broadcast o
         WHERE o.campaign_id = w.campaign AND o.seq > w.campaign_seen) AS next_campaign_seq
  FROM unnest(
           %(players)s::bigint[], %(campaigns)s::bigint[], %(seen)s::bigint[], %(campaign_seen)s::bigint[]
       ) WITH ORDINALITY AS w (player, campaign, seen, campaign_seen, place)
  LEFT JOIN fortunes_feed f ON f.player_id = w.player
  LEFT JOIN fortunes_campaignfeed b ON b.campaign_id = w.campaign
 ORDER BY w.place
