-- Credit what is still unopened in one chunk of payouts. A packet that is being opened holds its business key: this waits
-- for it and then leaves it out. Wallets get only what was inserted here. All entries come before the first wallet (the
-- sort needs them all), both in ascending player id, so that openers and other campaigns' credits can't deadlock with it.
WITH entry AS (
    INSERT INTO redpackets_ledgerentry (
        source_kind, source_owner, destination_kind, destination_owner, amount_fen, business_key
    )
    SELECT 'pool', p.pool_id, 'wallet', p.player_id, p.amount_fen, 'payout:' || p.pool_id || ':' || p.player_id
      FROM redpackets_payout p
     WHERE p.pool_id = %(pool)s AND p.player_id BETWEEN %(low)s AND %(high)s AND p.amount_fen > 0
     ORDER BY p.player_id
    ON CONFLICT (business_key) DO NOTHING
    RETURNING destination_owner, amount_fen
), wallet AS (
    INSERT INTO redpackets_wallet AS w (player_id, balance_fen)
    SELECT e.destination_owner, e.amount_fen FROM entry e ORDER BY e.destination_owner
    ON CONFLICT (player_id) DO UPDATE SET balance_fen = w.balance_fen + excluded.balance_fen
    RETURNING 1
)
SELECT count(*) AS credited, coalesce(sum(e.amount_fen), 0)::bigint AS fen, (SELECT count(*) FROM wallet) AS wallets
  FROM entry e
