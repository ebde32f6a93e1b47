-- Which of these pairs are friends at this moment. The ORM can't look up a list of pairs by an index.
SELECT f.player_id, f.friend_id, p.public_id
  FROM unnest(%(players)s::bigint[], %(others)s::bigint[]) AS asked (player, other)
  JOIN accounts_friendship f ON f.player_id = asked.player AND f.friend_id = asked.other AND f.state = 'friends'
  JOIN accounts_player p ON p.id = f.friend_id
