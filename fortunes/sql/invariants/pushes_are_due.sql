-- Whoever is to be told of events while they are away is due for those they haven't been told of: feeds with newer events
-- and no row that is due, with a number that is ahead of the events, or with a row though nobody is to be told.
SELECT f.player_id, f.seq, f.pushed_seq, d.due_at
  FROM fortunes_feed f
  LEFT JOIN fortunes_pushdue d ON d.player_id = f.player_id
 WHERE (f.pushes AND f.seq > f.pushed_seq AND d.player_id IS NULL)
    OR f.pushed_seq > f.seq
    OR (d.player_id IS NOT NULL AND NOT f.pushes)
