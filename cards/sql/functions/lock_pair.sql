-- Two players' hands, locked in ascending player id whoever is named first, so that two who act upon each other at once
-- wait in one direction only. The first element is `one`'s hand, the second `other`'s; all nulls where there is none, and a
-- null player locks nothing. For a player and themselves it is one hand, twice.
CREATE FUNCTION cards_lock_pair(the_campaign bigint, one bigint, other bigint) RETURNS cards_hand[]
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    first cards_hand;
    second cards_hand;
BEGIN
    IF one < other THEN
        first := cards_lock_hand(the_campaign, one);
        second := cards_lock_hand(the_campaign, other);
    ELSE
        second := cards_lock_hand(the_campaign, other);
        first := cards_lock_hand(the_campaign, one);
    END IF;
    RETURN ARRAY[first, second];
END
$$;
