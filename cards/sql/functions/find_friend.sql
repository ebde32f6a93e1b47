-- The id of a player's friend with this public id; null for strangers, the unknown, the blocked and who was shut
-- out alike: the cards of a banned player stay where they are. The friendship is judged again under its lock.
CREATE FUNCTION cards_find_friend(player bigint, public uuid) RETURNS bigint
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RETURN (SELECT f.friend_id
              FROM accounts_player p
              JOIN accounts_friendship f ON f.player_id = player AND f.friend_id = p.id AND f.state = 'friends'
             WHERE p.public_id = public AND p.is_active);
END
$$;
