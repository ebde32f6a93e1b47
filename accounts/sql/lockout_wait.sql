SELECT ceil(extract(epoch FROM ends_at - fortunes_clock()))::integer AS seconds
  FROM accounts_lockout
 WHERE subject = %(subject)s
