-- A wallet is the sum of its entries, and never negative.
WITH moved AS (
    SELECT destination_owner AS player_id, amount_fen FROM redpackets_ledgerentry WHERE destination_kind = 'wallet'
    UNION ALL
    SELECT source_owner, -amount_fen FROM redpackets_ledgerentry WHERE source_kind = 'wallet'
), booked AS (
    SELECT player_id, sum(amount_fen) AS fen FROM moved GROUP BY player_id
)
SELECT player_id, w.balance_fen, b.fen AS booked_fen
  FROM redpackets_wallet w FULL JOIN booked b USING (player_id)
 WHERE coalesce(w.balance_fen, 0) <> coalesce(b.fen, 0) OR w.balance_fen < 0
