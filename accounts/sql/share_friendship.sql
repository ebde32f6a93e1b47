-- Holds a friendship as it is until commit, beside others who do the same: an end or a block waits, other trades don't.
-- If the row is being changed, this waits and then judges the new row. The ORM has no FOR SHARE.
SELECT 1 AS friends
  FROM accounts_friendship
 WHERE player_id = %(player)s AND friend_id = %(friend)s AND state = 'friends'
   FOR SHARE
