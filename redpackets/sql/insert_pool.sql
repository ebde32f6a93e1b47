-- One pool a campaign: the loser of two at once inserts nothing. The ORM does not tell how many rows it inserted.
INSERT INTO redpackets_pool (campaign_id, amount_fen, credit_after_s, key_id, commitment)
VALUES (%(campaign)s, %(amount_fen)s, %(credit_after_s)s, %(key_id)s, %(commitment)s)
ON CONFLICT (campaign_id) DO NOTHING
