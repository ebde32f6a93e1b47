-- Each play spent one special card of its type and gained one card of its kind: a stolen one from the friend, else a new
-- one. Its rulebook was the one in force, and allowed it.
WITH moved AS (
    SELECT p.*, spent.id AS spent_id, gained.id AS gained_id,
           (SELECT count(*) FROM cards_transfer x WHERE x.play_id = p.id) AS moves
      FROM cards_play p
      LEFT JOIN cards_transfer spent
        ON spent.play_id = p.id AND spent.position = 0 AND spent.campaign_id = p.campaign_id AND spent.at = p.at
       AND spent.giver_id = p.player_id AND spent.receiver_id IS NULL
       AND EXISTS (SELECT 1 FROM cards_cardkind k
                    WHERE k.campaign_id = p.campaign_id AND k.ordinal = spent.kind AND k.role = p.type)
      LEFT JOIN cards_transfer gained
        ON gained.play_id = p.id AND gained.position = 1 AND gained.campaign_id = p.campaign_id AND gained.at = p.at
       AND gained.receiver_id = p.player_id AND gained.kind = p.kind
       AND gained.giver_id IS NOT DISTINCT FROM CASE WHEN p.type = 'steal' THEN p.friend_id END
)
SELECT m.id, m.type, m.player_id, m.friend_id, m.kind, m.rulebook_version
  FROM moved m
 WHERE m.moves <> 2 OR m.spent_id IS NULL OR m.gained_id IS NULL
    OR m.rulebook_version IS DISTINCT FROM (SELECT max(r.version) FROM fortunes_rulebook r
                                             WHERE r.campaign_id = m.campaign_id AND r.in_force_at <= m.at)
    OR NOT EXISTS (SELECT 1 FROM fortunes_rulebook r
                    WHERE r.campaign_id = m.campaign_id AND r.version = m.rulebook_version
                      AND coalesce(r.rules -> 'specials', '["wild", "copy"]') ? m.type)
UNION ALL
SELECT NULL, NULL, x.giver_id, x.receiver_id, x.kind, NULL
  FROM cards_transfer x
 WHERE x.play_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM cards_play p WHERE p.id = x.play_id)
