-- Count a try unless all are used up. Of many at once each waits for the row and judges its newest version, so exactly
-- `most` get through. The last one sets when it begins anew. The ORM's upserts have no WHERE.
INSERT INTO accounts_lockout AS l (subject, tries, ends_at)
VALUES (%(subject)s, 1, fortunes_clock() + %(window_s)s * interval '1 second')
ON CONFLICT (subject) DO UPDATE
   SET tries = CASE WHEN l.ends_at <= fortunes_clock() THEN 1 ELSE l.tries + 1 END,
       ends_at = CASE WHEN l.ends_at <= fortunes_clock() THEN fortunes_clock() + %(window_s)s * interval '1 second'
                      WHEN l.tries + 1 >= %(most)s THEN fortunes_clock() + %(lock_s)s * interval '1 second'
                      ELSE l.ends_at END
 WHERE l.ends_at <= fortunes_clock() OR l.tries < %(most)s
RETURNING l.tries
