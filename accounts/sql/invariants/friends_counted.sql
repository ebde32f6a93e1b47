-- A player's counter of friends is the number of their friendships: players where it isn't.
SELECT p.id AS player_id, p.friend_count, coalesce(f.friends, 0) AS friends
  FROM accounts_player p
  LEFT JOIN (SELECT player_id, count(*) AS friends
               FROM accounts_friendship
              WHERE state = 'friends'
              GROUP BY player_id) f ON f.player_id = p.id
 WHERE p.friend_count <> coalesce(f.friends, 0)
