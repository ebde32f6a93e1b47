-- What `splitting.allot` found, for all chunks of a settlement at once.
UPDATE redpackets_settlementchunk c
   SET weight_before = a.weight_before, pot_fen = a.pot_fen
  FROM unnest(%(numbers)s::integer[], %(weights_before)s::bigint[], %(pots_fen)s::bigint[])
       AS a (number, weight_before, pot_fen)
 WHERE c.settlement_id = %(settlement)s AND c.number = a.number
