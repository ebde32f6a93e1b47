-- A hand with these cards added, and with the count of what came to its player by trades today. A day never goes back, not even
-- if the database's clock does.
CREATE FUNCTION cards_received(hand cards_hand, cards smallint[], fed boolean, today date) RETURNS cards_hand
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    hand.counts := cards_shifted(hand.counts, cards, 1);
    IF fed THEN
        hand.fed_today := CASE WHEN hand.fed_day >= today THEN hand.fed_today ELSE 0 END + cardinality(cards);
        hand.fed_day := greatest(hand.fed_day, today);
    END IF;
    RETURN hand;
END
$$;
