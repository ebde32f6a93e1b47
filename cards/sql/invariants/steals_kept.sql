-- Each steal kept the limits of its rulebook, by local day, by day and friend, and by the victim's protection. It has the next
-- number of its thief; and what chance took was among what it chose from.
WITH steal AS (
    SELECT p.*, c.tz, (p.at AT TIME ZONE c.tz)::date AS day, r.rules -> 'stealing' AS limits,
           row_number() OVER (PARTITION BY p.campaign_id, p.player_id ORDER BY p.id) AS nth,
           lag(p.at) OVER (PARTITION BY p.campaign_id, p.friend_id ORDER BY p.id) AS robbed_before,
           lead(p.id) OVER (PARTITION BY p.campaign_id, p.friend_id ORDER BY p.id) IS NULL AS is_last
      FROM cards_play p
      JOIN fortunes_campaign c ON c.id = p.campaign_id
      LEFT JOIN fortunes_rulebook r ON r.campaign_id = p.campaign_id AND r.version = p.rulebook_version
     WHERE p.type = 'steal'
)
SELECT s.campaign_id, s.id, s.player_id, s.friend_id, s.number, s.at
  FROM steal s
 CROSS JOIN LATERAL (
        SELECT count(*) AS of_day, count(*) FILTER (WHERE q.friend_id = s.friend_id) AS of_pair
          FROM cards_play q
         WHERE q.player_id = s.player_id AND q.campaign_id = s.campaign_id AND q.type = 'steal' AND q.id <= s.id
           AND (q.at AT TIME ZONE s.tz)::date >= s.day
       ) done
 WHERE s.number IS DISTINCT FROM s.nth
    OR NOT s.kind = ANY (s.among)
    OR done.of_day > (s.limits ->> 'per_day')::bigint
    OR done.of_pair > (s.limits ->> 'per_pair_per_day')::bigint
    OR s.at < s.robbed_before + make_interval(hours => (s.limits ->> 'protection_h')::integer)
UNION ALL
-- A hand knows when it was last robbed.
SELECT h.campaign_id, s.id, s.player_id, h.player_id, s.number, h.robbed_at
  FROM cards_hand h
  LEFT JOIN steal s ON s.is_last AND s.campaign_id = h.campaign_id AND s.friend_id = h.player_id
 WHERE h.robbed_at IS DISTINCT FROM s.at
