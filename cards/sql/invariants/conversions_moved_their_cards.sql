-- Each conversion used up its cards and gained what they became, all of it its player's and at its moment, and nothing else; it
-- is what its version of the rules promised for a kind that the version removed.
WITH moved AS (
    SELECT v.id, v.campaign_id, v.player_id, v.kind, v.cards, v."into", v.fen, v.by_chance, v.at, a.version,
           count(x.id) FILTER (WHERE x.receiver_id IS NULL AND x.giver_id = v.player_id AND x.kind = v.kind
                                 AND x.position < v.cards) AS spent,
           coalesce(array_agg(x.kind ORDER BY x.position)
                        FILTER (WHERE x.giver_id IS NULL AND x.receiver_id = v.player_id AND x.position >= v.cards), '{}') AS gained,
           count(x.id) AS moves,
           coalesce(bool_or(x.campaign_id <> v.campaign_id OR x.at <> v.at), false) AS elsewhere
      FROM cards_conversion v
      JOIN cards_aftermath a ON a.id = v.aftermath_id
      LEFT JOIN cards_transfer x ON x.conversion_id = v.id
     GROUP BY v.id, a.version
)
SELECT m.id, m.campaign_id, m.player_id, m.kind, m.cards, m."into", m.fen
  FROM moved m
 WHERE m.spent <> m.cards OR m.gained <> m."into" OR m.moves <> m.cards + cardinality(m."into") OR m.elsewhere
    OR NOT EXISTS (SELECT 1
                     FROM fortunes_rulebook r
                     JOIN fortunes_compensation p ON p.rulebook_id = r.id
                     JOIN cards_cardkind k ON k.campaign_id = r.campaign_id AND k.ordinal = m.kind AND k.role = p.role
                    WHERE r.campaign_id = m.campaign_id AND r.version = m.version AND r.in_force_at <= m.at
                      AND NOT coalesce(r.rules -> 'specials', '["wild", "copy"]') ? p.role
                      AND m.by_chance = (p."into" = 'fortune')
                      AND m.fen = CASE p."into" WHEN 'fen' THEN m.cards * p.amount_fen ELSE 0 END
                      AND CASE p."into"
                              WHEN 'fen' THEN m."into" = '{}'
                              ELSE NOT EXISTS (SELECT 1 FROM unnest(m."into") AS i (kind)
                                                 JOIN cards_cardkind g ON g.campaign_id = m.campaign_id AND g.ordinal = i.kind
                                                WHERE g.role <> p."into") END)
UNION ALL
SELECT NULL, x.campaign_id, coalesce(x.giver_id, x.receiver_id), x.kind, NULL, NULL, NULL
  FROM cards_transfer x
 WHERE x.conversion_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM cards_conversion v WHERE v.id = x.conversion_id)
