-- Put these cards of a locked hand into escrow (`step` 1), or back among its others (-1): the hand as it is then, with its next
-- version. What is in escrow counts for a full set, so whether the hand is complete stays as it was.
CREATE FUNCTION cards_escrow(hand cards_hand, cards smallint[], step integer) RETURNS cards_hand
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    hand.counts := cards_shifted(hand.counts, cards, -step);
    hand.escrow := cards_shifted(hand.escrow, cards, step);
    hand.version := hand.version + 1;
    UPDATE cards_hand h SET counts = hand.counts, escrow = hand.escrow, version = hand.version WHERE h.id = hand.id;
    RETURN hand;
END
$$;
