-- Pay what was promised for cards, in one statement: the entry under the conversion's own key, the wallet that caches it,
-- and the mark that it is paid. All entries come before the first wallet (the sort needs them all), both in ascending
-- player id, so that openers and credits can't deadlock with it. The ORM would go row by row.
WITH due AS (
    SELECT c.id, c.public_id, c.player_id, c.fen
      FROM cards_conversion c
     WHERE c.id = ANY (%(ids)s::bigint[]) AND c.paid_at IS NULL
), entry AS (
    INSERT INTO redpackets_ledgerentry (
        source_kind, source_owner, destination_kind, destination_owner, amount_fen, business_key
    )
    SELECT 'goodwill', %(campaign)s, 'wallet', d.player_id, d.fen, 'conversion:' || d.id
      FROM due d
     ORDER BY d.player_id, d.id
    ON CONFLICT (business_key) DO NOTHING
    RETURNING destination_owner, amount_fen, business_key
), wallet AS (
    INSERT INTO redpackets_wallet AS w (player_id, balance_fen)
    SELECT e.destination_owner, sum(e.amount_fen) FROM entry e GROUP BY e.destination_owner ORDER BY e.destination_owner
    ON CONFLICT (player_id) DO UPDATE SET balance_fen = w.balance_fen + excluded.balance_fen
), paid AS (
    UPDATE cards_conversion c SET paid_at = fortunes_clock() FROM due d WHERE c.id = d.id
)
SELECT d.public_id, d.player_id, d.fen
  FROM due d
  JOIN entry e ON e.business_key = 'conversion:' || d.id
 ORDER BY d.id
