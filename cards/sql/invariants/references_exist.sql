-- Hot tables have no foreign keys to campaign, kind, source and rulebook: this is the check instead.
SELECT d.id, 'draw' AS what, d.campaign_id, d.kind, d.source, d.rulebook_version
  FROM cards_draw d
 WHERE NOT EXISTS (SELECT 1 FROM cards_cardkind k WHERE k.campaign_id = d.campaign_id AND k.ordinal = d.kind)
    OR NOT EXISTS (SELECT 1 FROM cards_cardkind k WHERE k.campaign_id = d.campaign_id AND k.ordinal = d.wish)
    OR NOT EXISTS (SELECT 1 FROM cards_source s WHERE s.campaign_id = d.campaign_id AND s.ordinal = d.source)
    OR NOT EXISTS (SELECT 1 FROM fortunes_rulebook r WHERE r.campaign_id = d.campaign_id AND r.version = d.rulebook_version)
UNION ALL
SELECT h.id, 'hand', h.campaign_id, NULL, NULL, NULL
  FROM cards_hand h
 WHERE NOT EXISTS (SELECT 1 FROM fortunes_campaign c WHERE c.id = h.campaign_id)
    OR NOT EXISTS (SELECT 1 FROM fortunes_membership m WHERE m.campaign_id = h.campaign_id AND m.player_id = h.player_id)
    OR cardinality(h.counts) <> (SELECT count(*) FROM cards_cardkind k WHERE k.campaign_id = h.campaign_id)
UNION ALL
SELECT t.id, 'trade', t.campaign_id, NULL, NULL, t.rulebook_version
  FROM cards_trade t
 WHERE NOT EXISTS (SELECT 1 FROM fortunes_rulebook r WHERE r.campaign_id = t.campaign_id AND r.version = t.rulebook_version)
    OR (t.recipient_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM accounts_player p WHERE p.id = t.recipient_id))
UNION ALL
SELECT t.id, 'cards of a trade', t.campaign_id, g.kind, NULL, NULL
  FROM cards_trade t, unnest(t.gives || t.takes) AS g (kind)
 WHERE NOT EXISTS (SELECT 1 FROM cards_cardkind k WHERE k.campaign_id = t.campaign_id AND k.ordinal = g.kind)
UNION ALL
SELECT a.id, 'addressee', a.campaign_id, NULL, NULL, NULL
  FROM cards_addressee a
 WHERE NOT EXISTS (SELECT 1 FROM accounts_player p WHERE p.id = a.player_id)
UNION ALL
SELECT p.id, 'play', p.campaign_id, p.kind, NULL, p.rulebook_version
  FROM cards_play p
 WHERE NOT EXISTS (SELECT 1 FROM cards_cardkind k WHERE k.campaign_id = p.campaign_id AND k.ordinal = p.kind)
    OR (p.friend_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM accounts_player f WHERE f.id = p.friend_id))
UNION ALL
SELECT v.id, 'conversion', v.campaign_id, v.kind, NULL, a.version
  FROM cards_conversion v
  JOIN cards_aftermath a ON a.id = v.aftermath_id
 WHERE a.campaign_id <> v.campaign_id
    OR NOT EXISTS (SELECT 1 FROM fortunes_rulebook r WHERE r.campaign_id = a.campaign_id AND r.version = a.version)
    OR EXISTS (SELECT 1 FROM unnest(v.kind || v."into") AS i (kind)
                WHERE NOT EXISTS (SELECT 1 FROM cards_cardkind k WHERE k.campaign_id = v.campaign_id AND k.ordinal = i.kind))
UNION ALL
SELECT x.id, 'transfer', x.campaign_id, x.kind, NULL, NULL
  FROM cards_transfer x
 WHERE NOT EXISTS (SELECT 1 FROM cards_cardkind k WHERE k.campaign_id = x.campaign_id AND k.ordinal = x.kind)
    OR (x.receiver_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM accounts_player p WHERE p.id = x.receiver_id))
