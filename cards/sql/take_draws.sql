-- The next span for a reader. Whoever finds its row locked goes away: one worker reads at a time.
WITH mine AS (
    SELECT r.name, r.last_id FROM cards_drawreader r
     WHERE r.name = %(reader)s AND r.last_id < %(upto)s
       FOR UPDATE SKIP LOCKED
)
UPDATE cards_drawreader r
   SET last_id = least(%(upto)s, mine.last_id + %(most)s), read_at = fortunes_clock()
  FROM mine
 WHERE r.name = mine.name
RETURNING mine.last_id AS after, r.last_id AS upto
