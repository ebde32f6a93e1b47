UPDATE accounts_message
   SET sealed = NULL
 WHERE created_at > fortunes_clock() - interval '1 hour'
   AND state = 'given-up' AND sealed IS NOT NULL AND expires_at <= fortunes_clock()
