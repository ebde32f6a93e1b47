INSERT INTO cards_aftermath (campaign_id, version, state, done_at)
VALUES (%(campaign)s, %(version)s, %(state)s, CASE WHEN %(state)s::text = 'done' THEN fortunes_clock() END)
ON CONFLICT (campaign_id, version) DO NOTHING
