-- Whether two players are friends, which then stays so until the end of the transaction: an end or a block waits, other
-- trades don't. Both rows of a pair change in one transaction, so a lock on one of them is enough. If the row is just
-- being changed, this waits and then judges the new row. The ORM has no FOR SHARE.
CREATE FUNCTION accounts_share_friendship(one bigint, other bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    PERFORM 1 FROM accounts_friendship f
      WHERE f.player_id = one AND f.friend_id = other AND f.state = 'friends'
        FOR SHARE;
    RETURN FOUND;
END
$$;
