-- Whose tokens are good: of these players the active ones, each with the session that the token names, unless it was
-- ended, or with none. For every request and every socket, so in one statement that is planned once; the ORM takes three
-- times as long to put it together as the database to answer it.
SELECT w.player, w.session, p.id
  FROM unnest(%(players)s::uuid[], %(sessions)s::uuid[]) AS w (player, session)
  JOIN accounts_player p ON p.public_id = w.player AND p.is_active
  LEFT JOIN accounts_refreshfamily f
         ON f.public_id = w.session AND f.player_id = p.id AND f.revoked_at IS NULL
 WHERE w.session IS NULL OR f.id IS NOT NULL
