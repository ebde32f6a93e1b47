-- The doorway to a Hand's lock: one statement a player with an equality filter, so the order of locking is the caller's
-- and not the planner's. All nulls where there is no Hand.
CREATE FUNCTION cards_lock_hand(the_campaign bigint, player bigint) RETURNS cards_hand
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    hand cards_hand;
BEGIN
    SELECT * INTO hand FROM cards_hand h WHERE h.campaign_id = the_campaign AND h.player_id = player FOR NO KEY UPDATE;
    RETURN hand;
END
$$;
