-- Each player's events run without a gap from the first kept to the feed's newest number.
SELECT f.player_id, f.seq, e.first, e.last, e.rows
  FROM fortunes_feed f
  LEFT JOIN (SELECT player_id, min(seq) AS first, max(seq) AS last, count(*) AS rows FROM fortunes_event GROUP BY player_id) e
    ON e.player_id = f.player_id
 WHERE e.last IS DISTINCT FROM f.seq OR e.rows <> e.last - e.first + 1
UNION ALL
SELECT e.player_id, NULL, min(e.seq), max(e.seq), count(*)
  FROM fortunes_event e
 WHERE NOT EXISTS (SELECT 1 FROM fortunes_feed f WHERE f.player_id = e.player_id)
 GROUP BY e.player_id
