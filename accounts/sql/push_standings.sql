-- What decides whether, where and when players are told of events while they are away. Of several identities the newest
-- counts. The ORM has no LATERAL.
SELECT p.id AS player_id, p.public_id, p.is_active, f.pushes, f.seq, f.pushed_seq, i.issuer AS host, i.subject,
       s.enabled, s.muted, s.quiet_from, s.quiet_to, s.tz
  FROM unnest(%(players)s::bigint[]) AS asked (player)
  JOIN accounts_player p ON p.id = asked.player
  JOIN fortunes_feed f ON f.player_id = p.id
  LEFT JOIN LATERAL (
           SELECT d.issuer, d.subject
             FROM accounts_federatedidentity d
            WHERE d.player_id = p.id
            ORDER BY d.id DESC
            LIMIT 1
       ) i ON true
  LEFT JOIN accounts_notificationsettings s ON s.player_id = p.id
