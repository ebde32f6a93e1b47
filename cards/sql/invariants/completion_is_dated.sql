-- A hand has the date since when it is complete exactly while it is, by the rulebook in force. A campaign in which a rule has
-- changed what a full set is, or whether wild cards fill in, is left out: there a hand is dated by the rule of its last change.
WITH rules AS (
    SELECT r.campaign_id,
           ARRAY(SELECT k.ordinal FROM cards_cardkind k
                  WHERE k.campaign_id = r.campaign_id AND r.rules -> 'complete_set' ? k.slug ORDER BY k.ordinal) AS full_set,
           CASE WHEN (r.rules ->> 'wilds_fill')::boolean
                THEN (SELECT k.ordinal FROM cards_cardkind k WHERE k.campaign_id = r.campaign_id AND k.role = 'wild') END AS wild
      FROM fortunes_rulebook r
), steady AS (
    SELECT campaign_id, min(full_set) AS full_set, min(wild) AS wild
      FROM rules
     GROUP BY campaign_id
    HAVING count(DISTINCT (full_set, wild)) = 1
)
SELECT h.campaign_id, h.player_id, h.counts, h.escrow, h.completed_at
  FROM cards_hand h
  JOIN steady s USING (campaign_id)
 WHERE (h.completed_at IS NOT NULL) <> (
           SELECT count(*) FILTER (WHERE h.counts[k + 1] + h.escrow[k + 1] = 0)
                  <= coalesce(h.counts[s.wild + 1] + h.escrow[s.wild + 1], 0)
             FROM unnest(s.full_set) AS k
       )
