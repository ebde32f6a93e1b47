-- Spend a code, once. Its row stays locked until commit, so that nobody else signs in with this number meanwhile. A newer
-- code that has come since the try is another.
UPDATE accounts_phonecode
   SET used_at = fortunes_clock()
 WHERE id = %(id)s AND code_hash = %(code)s AND used_at IS NULL AND expires_at > fortunes_clock()
