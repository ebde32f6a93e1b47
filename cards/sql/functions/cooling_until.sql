-- Until when no card leaves this player's account for another, because the account is so new; null if that is over.
CREATE FUNCTION cards_cooling_until(player bigint, cooling_h integer, at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    IF cooling_h = 0 THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT p.joined_at + make_interval(hours => cooling_h) FROM accounts_player p
             WHERE p.id = player AND p.joined_at + make_interval(hours => cooling_h) > at);
END
$$;
