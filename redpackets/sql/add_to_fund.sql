-- The first money set aside makes the fund. The ORM can't add to what is there in the statement that would insert it.
INSERT INTO redpackets_compensationfund AS f (campaign_id, funded_fen, paid_fen)
VALUES (%(campaign)s, %(amount_fen)s, 0)
ON CONFLICT (campaign_id) DO UPDATE SET funded_fen = f.funded_fen + excluded.funded_fen
