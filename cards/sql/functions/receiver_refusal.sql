-- Why a locked hand can't take so many more cards: 'hand-full', 'receiver-limit', or null. `fed` says that another
-- player's cards come by a trade: of these a player takes `received_per_day` on one local day at most. By a swap too, or the
-- cards of a farm would be swapped for worthless ones.
-- What is in escrow has to find its way back, so it counts as if it were there.
CREATE FUNCTION cards_receiver_refusal(
    hand cards_hand, cards integer, fed boolean, received_per_day integer, today date
) RETURNS text
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    room integer := 32767 - cards;
BEGIN
    IF cards = 0 THEN
        RETURN NULL;
    END IF;
    IF 0 < ANY (hand.escrow) THEN
        room := room - (SELECT sum(e.cards) FROM unnest(hand.escrow) AS e (cards));
    END IF;
    RETURN CASE WHEN room < ANY (hand.counts) THEN 'hand-full'
                WHEN fed AND CASE WHEN hand.fed_day >= today THEN hand.fed_today ELSE 0 END + cards > received_per_day
                    THEN 'receiver-limit' END;
END
$$;
