-- A new code for a number, unless too many were asked for. Of two who ask at once the second waits for the first's row,
-- judges its new version and changes nothing. The ORM's upserts have no WHERE.
INSERT INTO accounts_phonecode AS c (
    number_hash, code_hash, key_id, asked_at, expires_at, used_at, tries, day_began_at, asked_today
)
SELECT %(number)s, %(code)s, %(key)s, t.at, t.at + %(life_s)s * interval '1 second', NULL, 0, t.at, 1
  FROM (SELECT fortunes_clock() AS at) t
ON CONFLICT (number_hash) DO UPDATE
   SET code_hash = excluded.code_hash,
       key_id = excluded.key_id,
       asked_at = excluded.asked_at,
       expires_at = excluded.expires_at,
       used_at = NULL,
       tries = 0,
       day_began_at = CASE WHEN c.day_began_at <= excluded.asked_at - %(day_s)s * interval '1 second'
                           THEN excluded.asked_at ELSE c.day_began_at END,
       asked_today = CASE WHEN c.day_began_at <= excluded.asked_at - %(day_s)s * interval '1 second'
                          THEN 1 ELSE c.asked_today + 1 END
 WHERE c.asked_at <= excluded.asked_at - %(pause_s)s * interval '1 second'
   AND (c.asked_today < %(most)s OR c.day_began_at <= excluded.asked_at - %(day_s)s * interval '1 second')
RETURNING c.expires_at
