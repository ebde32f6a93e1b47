-- The day's counters are of the Hand's own day: on a later day none is used yet.
SELECT h.counts, h.escrow, h.version, h.used,
       CASE WHEN h.day = (fortunes_clock() AT TIME ZONE c.tz)::date THEN h.used_today
            ELSE array_fill(0::smallint, ARRAY[cardinality(h.used)]) END AS used_today
  FROM cards_hand h JOIN fortunes_campaign c ON c.id = h.campaign_id
 WHERE h.campaign_id = %(campaign)s AND h.player_id = %(player)s
