-- The two sides of a pair tell the same story: rows whose other side is missing or says something else. Blocks are of
-- one side each and have an instant each.
SELECT mine.player_id, mine.friend_id, mine.state, theirs.state AS their_state
  FROM accounts_friendship mine
  LEFT JOIN accounts_friendship theirs ON theirs.player_id = mine.friend_id AND theirs.friend_id = mine.player_id
 WHERE theirs.state IS DISTINCT FROM CASE mine.state
           WHEN 'asking' THEN 'asked'
           WHEN 'asked' THEN 'asking'
           WHEN 'friends' THEN 'friends'
           WHEN 'blocked' THEN 'barred'
           WHEN 'barred' THEN 'blocked'
           WHEN 'mutual' THEN 'mutual'
       END
    OR (mine.state IN ('asking', 'asked', 'friends') AND theirs.since IS DISTINCT FROM mine.since)
