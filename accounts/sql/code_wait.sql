-- How long nobody can ask for another code for this number.
SELECT greatest(1, ceil(extract(epoch FROM
           CASE WHEN c.asked_today >= %(most)s
                THEN greatest(c.asked_at + %(pause_s)s * interval '1 second',
                              c.day_began_at + %(day_s)s * interval '1 second')
                ELSE c.asked_at + %(pause_s)s * interval '1 second' END
           - fortunes_clock())))::integer AS seconds
  FROM accounts_phonecode c
 WHERE c.number_hash = %(number)s
