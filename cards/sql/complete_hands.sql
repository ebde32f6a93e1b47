-- How many hands are complete by these rules. As cards_is_complete says it, written out: that would be a call for each hand.
SELECT count(*) AS hands
  FROM cards_hand h
 WHERE h.campaign_id = %(campaign)s
   AND (SELECT count(*) FILTER (WHERE h.counts[k + 1] + h.escrow[k + 1] = 0) FROM unnest(%(full_set)s::smallint[]) AS k)
       <= coalesce(h.counts[%(wild)s::smallint + 1] + h.escrow[%(wild)s::smallint + 1], 0)
