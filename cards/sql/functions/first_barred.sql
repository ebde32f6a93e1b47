-- The first of these cards whose kind isn't allowed, for the refusal to name; null where all are.
CREATE FUNCTION cards_first_barred(cards smallint[], barred smallint[]) RETURNS smallint
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    RETURN (SELECT c.kind FROM unnest(cards) WITH ORDINALITY AS c (kind, place)
             WHERE c.kind = ANY (barred) ORDER BY c.place LIMIT 1);
END
$$;
