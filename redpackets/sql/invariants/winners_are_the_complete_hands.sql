-- Once sealed: who has a payout is exactly who held a complete set at the freeze and was not excluded before it. Where the
-- rules said so, each wild card stood for one missing kind.
WITH sealed AS (
    SELECT s.pool_id, p.campaign_id, s.complete_kinds, s.wild_kind, s.frozen_at
      FROM redpackets_settlement s
      JOIN redpackets_pool p ON p.id = s.pool_id
     WHERE s.sealed_at IS NOT NULL
), complete AS (
    SELECT s.pool_id, h.player_id
      FROM sealed s
      JOIN cards_hand h ON h.campaign_id = s.campaign_id
     WHERE (
               SELECT count(*) FILTER (WHERE coalesce(h.counts[kind + 1], 0) + coalesce(h.escrow[kind + 1], 0) = 0)
                 FROM unnest(s.complete_kinds) AS kind
           ) <= coalesce(h.counts[s.wild_kind + 1], 0) + coalesce(h.escrow[s.wild_kind + 1], 0)
       AND NOT EXISTS (
               SELECT FROM fortunes_exclusion x
                WHERE x.campaign_id = s.campaign_id AND x.player_id = h.player_id AND x.at <= s.frozen_at
           )
), paid AS (
    SELECT p.pool_id, p.player_id FROM redpackets_payout p JOIN sealed USING (pool_id)
)
SELECT pool_id, player_id, complete.player_id IS NOT NULL AS is_complete, paid.player_id IS NOT NULL AS is_paid
  FROM complete FULL JOIN paid USING (pool_id, player_id)
 WHERE complete.player_id IS NULL OR paid.player_id IS NULL
