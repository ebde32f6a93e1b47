-- Who is asked by a trade and hasn't declined, in ascending id.
CREATE FUNCTION cards_still_asked(trade cards_trade) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RETURN CASE trade.audience
               WHEN 'one' THEN ARRAY[trade.recipient_id]
               WHEN 'some' THEN (SELECT coalesce(array_agg(a.player_id ORDER BY a.player_id), '{}')
                                   FROM cards_addressee a WHERE a.trade_id = trade.id AND a.declined_at IS NULL)
               ELSE '{}' END;
END
$$;
