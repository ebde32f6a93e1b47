-- What the jackpots of each chunk cost, for all chunks of a settlement at once.
UPDATE redpackets_settlementchunk c
   SET prizes_fen = a.prizes_fen
  FROM unnest(%(numbers)s::integer[], %(prizes_fen)s::bigint[]) AS a (number, prizes_fen)
 WHERE c.settlement_id = %(settlement)s AND c.number = a.number
