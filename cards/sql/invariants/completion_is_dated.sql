-- A hand has the date since when it is complete exactly while it is, by the rulebook in force. A campaign in which what a version
-- has changed isn't followed yet (cards/actions/aftermaths.py) is left out.
WITH rules AS (
    SELECT DISTINCT ON (r.campaign_id) r.campaign_id,
           ARRAY(SELECT k.ordinal FROM cards_cardkind k
                  WHERE k.campaign_id = r.campaign_id AND r.rules -> 'complete_set' ? k.slug ORDER BY k.ordinal) AS full_set,
           CASE WHEN (r.rules ->> 'wilds_fill')::boolean
                THEN (SELECT k.ordinal FROM cards_cardkind k WHERE k.campaign_id = r.campaign_id AND k.role = 'wild') END AS wild
      FROM fortunes_rulebook r
     ORDER BY r.campaign_id, r.version DESC
), followed AS (
    SELECT s.* FROM rules s
     WHERE NOT EXISTS (SELECT 1 FROM fortunes_rulebook r
                          JOIN fortunes_campaign c ON c.id = r.campaign_id
                        WHERE r.campaign_id = s.campaign_id AND r.version > 1 AND r.in_force_at >= c.opened_at
                          AND NOT EXISTS (SELECT 1 FROM cards_aftermath a
                                           WHERE a.campaign_id = r.campaign_id AND a.version = r.version AND a.state = 'done'))
)
SELECT h.campaign_id, h.player_id, h.counts, h.escrow, h.completed_at
  FROM cards_hand h
  JOIN followed s USING (campaign_id)
 WHERE (h.completed_at IS NOT NULL) <> (
           SELECT count(*) FILTER (WHERE h.counts[k + 1] + h.escrow[k + 1] = 0)
                  <= coalesce(h.counts[s.wild + 1] + h.escrow[s.wild + 1], 0)
             FROM unnest(s.full_set) AS k
       )
