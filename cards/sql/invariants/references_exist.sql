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
