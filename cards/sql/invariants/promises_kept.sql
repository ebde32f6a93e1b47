-- Once the aftermath of a version is done, nothing is left of what it removed, as long as no later version brings it back: no
-- open trade has such a card, and nobody holds one for which something was promised and there was room.
WITH removed AS (
    SELECT a.campaign_id, a.version, k.ordinal AS kind, p."into",
           -- What a card was to become may have been gone when the version took force.
           CASE p."into"
               WHEN 'fen' THEN true
               WHEN 'wild' THEN coalesce(r.rules -> 'specials', '["wild", "copy"]') ? 'wild'
                            AND EXISTS (SELECT 1 FROM cards_cardkind g WHERE g.campaign_id = a.campaign_id AND g.role = 'wild')
               ELSE EXISTS (SELECT 1 FROM cards_cardkind g
                             WHERE g.campaign_id = a.campaign_id AND g.role = 'fortune' AND p.id IS NOT NULL
                               AND (r.rules -> 'weights' ->> g.slug)::bigint > 0 AND NOT r.rules -> 'caps' ? g.slug)
           END AS is_due
      FROM cards_aftermath a
      JOIN fortunes_rulebook r ON r.campaign_id = a.campaign_id AND r.version = a.version
      JOIN fortunes_rulebook before ON before.campaign_id = a.campaign_id AND before.version = a.version - 1
      JOIN cards_cardkind k ON k.campaign_id = a.campaign_id AND k.role <> 'fortune'
       AND coalesce(before.rules -> 'specials', '["wild", "copy"]') ? k.role
       AND NOT coalesce(r.rules -> 'specials', '["wild", "copy"]') ? k.role
      LEFT JOIN fortunes_compensation p ON p.rulebook_id = r.id AND p.role = k.role
     WHERE a.state = 'done'
       AND NOT EXISTS (SELECT 1 FROM fortunes_rulebook later
                        WHERE later.campaign_id = a.campaign_id AND later.version > a.version
                          AND coalesce(later.rules -> 'specials', '["wild", "copy"]') ? k.role)
)
SELECT r.campaign_id, r.version, r.kind, t.proposer_id AS player_id, t.id AS trade
  FROM removed r JOIN cards_trade t ON t.campaign_id = r.campaign_id AND t.state = 'open' AND r.kind = ANY (t.gives || t.takes)
UNION ALL
SELECT r.campaign_id, r.version, r.kind, h.player_id, NULL
  FROM removed r
  JOIN cards_hand h ON h.campaign_id = r.campaign_id AND h.counts[r.kind + 1] > 0
 WHERE r.is_due AND (r."into" = 'fen' OR 32767 > ALL (h.counts))
