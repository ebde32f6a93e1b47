UPDATE accounts_push
   SET last_error = %(reason)s, next_try_at = fortunes_clock() + %(wait_s)s * interval '1 second'
 WHERE id = %(id)s AND state = 'waiting' AND attempts = %(attempts)s
