-- Write back a locked hand whose cards have changed: the hand as it is then, with its next version. `completed_at` is since
-- when the set has been complete, by the rules whose `full_set` and `wild` these are, and null while it isn't.
CREATE FUNCTION cards_keep_hand(hand cards_hand, full_set smallint[], wild smallint, at timestamptz) RETURNS cards_hand
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    hand.version := hand.version + 1;
    hand.completed_at := CASE WHEN cards_is_complete(hand.counts, hand.escrow, full_set, wild)
                              THEN coalesce(hand.completed_at, at) END;
    UPDATE cards_hand h
       SET counts = hand.counts, escrow = hand.escrow, version = hand.version, completed_at = hand.completed_at,
           fed_day = hand.fed_day, fed_today = hand.fed_today, robbed_at = hand.robbed_at
     WHERE h.id = hand.id;
    RETURN hand;
END
$$;
