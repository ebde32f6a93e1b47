-- One posting, and the wallet that caches it, in one statement; 0 rows if the business key was used before. Two at once
-- wait for each other on the unique key, and the second inserts nothing.
WITH entry AS (
    INSERT INTO redpackets_ledgerentry (
        source_kind, source_owner, destination_kind, destination_owner, amount_fen, business_key
    )
    VALUES (
        %(source_kind)s, %(source_owner)s, %(destination_kind)s, %(destination_owner)s, %(amount_fen)s,
        %(business_key)s
    )
    ON CONFLICT (business_key) DO NOTHING
    RETURNING destination_kind, destination_owner, amount_fen
), wallet AS (
    INSERT INTO redpackets_wallet AS w (player_id, balance_fen)
    SELECT e.destination_owner, e.amount_fen FROM entry e WHERE e.destination_kind = 'wallet'
    ON CONFLICT (player_id) DO UPDATE SET balance_fen = w.balance_fen + excluded.balance_fen
)
SELECT count(*) AS inserted FROM entry
