-- Take one of the tries that a code has, before it is compared: of a hundred at once five get one.
UPDATE accounts_phonecode
   SET tries = tries + 1
 WHERE number_hash = %(number)s AND tries < %(most)s
RETURNING id, key_id, code_hash, used_at, expires_at <= fortunes_clock() AS late
