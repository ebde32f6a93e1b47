-- The next players who hold a card of `kinds`, at most `most` of them and of the next `most_hands` hands, with how far that
-- went and whether these were the last hands. One row without a player where none holds any.
WITH span AS (
    SELECT h.player_id, h.counts, h.escrow FROM cards_hand h
     WHERE h.campaign_id = %(campaign)s AND h.player_id > %(after)s
     ORDER BY h.player_id
     LIMIT %(most_hands)s
), holder AS (
    SELECT s.* FROM span s
     WHERE EXISTS (SELECT 1 FROM unnest(%(kinds)s::smallint[]) AS k WHERE s.counts[k + 1] > 0)
     ORDER BY s.player_id
     LIMIT %(most)s
), seen AS (
    SELECT CASE WHEN (SELECT count(*) FROM holder) < %(most)s THEN (SELECT max(s.player_id) FROM span s)
                ELSE (SELECT max(h.player_id) FROM holder h) END AS upto,
           (SELECT count(*) FROM holder) < %(most)s AND (SELECT count(*) FROM span) < %(most_hands)s AS is_last
)
SELECT coalesce(seen.upto, %(after)s) AS upto, seen.is_last, holder.player_id, holder.counts, holder.escrow
  FROM seen LEFT JOIN holder ON true
 ORDER BY holder.player_id
