-- Payouts with a single-column key and the instant at which they were opened or credited.
CREATE VIEW redpackets_packet AS
SELECT 'payout:' || p.pool_id || ':' || p.player_id AS id, p.pool_id, p.player_id, p.amount_fen, e.at AS opened_at
  FROM redpackets_payout p
  LEFT JOIN redpackets_ledgerentry e ON e.business_key = 'payout:' || p.pool_id || ':' || p.player_id
