-- How many hold a complete set among the next hands by player id, and up to whom that was; high is null after the last.
-- A range is found from the index without OFFSET, as carve_chunk.sql does it.
SELECT range.high,
       (SELECT count(*)
          FROM redpackets_winners(
                   %(campaign)s, %(after)s + 1, range.high, %(kinds)s::smallint[], %(wild)s::smallint, %(at)s::timestamptz
               )) AS complete
  FROM (
        SELECT max(next.player_id) AS high
          FROM (
                SELECT h.player_id
                  FROM cards_hand h
                 WHERE h.campaign_id = %(campaign)s
                   AND h.player_id > %(after)s
                 ORDER BY h.player_id
                 LIMIT %(hands)s
               ) next
       ) range
