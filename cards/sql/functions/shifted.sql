-- Counts by ordinal with `step` added for each card of `cards`, one ordinal a card.
CREATE FUNCTION cards_shifted(counts smallint[], cards smallint[], step integer) RETURNS smallint[]
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    card smallint;
BEGIN
    FOREACH card IN ARRAY cards LOOP
        counts[card + 1] := counts[card + 1] + step;
    END LOOP;
    RETURN counts;
END
$$;
