-- The next chunk of a settlement: the next `hands` Hands by player id, found from the index without OFFSET. Any number of
-- workers may do it at once: those that computed the same number insert nothing. `last_player` is the last that
-- had a Hand at the freeze; later Hands are empty and would only make more chunks.
INSERT INTO redpackets_settlementchunk (settlement_id, number, low, high)
SELECT %(settlement)s, last.number + 1, min(next.player_id), max(next.player_id)
  FROM (
        SELECT coalesce(max(c.number), 0) AS number, coalesce(max(c.high), 0) AS high
          FROM redpackets_settlementchunk c
         WHERE c.settlement_id = %(settlement)s
       ) last
 CROSS JOIN LATERAL (
        SELECT h.player_id
          FROM cards_hand h
         WHERE h.campaign_id = %(campaign)s
           AND h.player_id > last.high
           AND h.player_id <= %(last_player)s
         ORDER BY h.player_id
         LIMIT %(hands)s
       ) next
 GROUP BY last.number
ON CONFLICT (settlement_id, number) DO NOTHING
