-- The id of a player's friend with this public id; null for strangers, the unknown and the blocked alike. What
-- accounts.friends.friend looks up, within the round trip of who needs it; it is judged again under the friendship's lock.
CREATE FUNCTION cards_find_friend(player bigint, public uuid) RETURNS bigint
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RETURN (SELECT f.friend_id
              FROM accounts_player p
              JOIN accounts_friendship f ON f.player_id = player AND f.friend_id = p.id AND f.state = 'friends'
             WHERE p.public_id = public);
END
$$;
