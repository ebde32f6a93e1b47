-- Whether the columns of a trade fit together: its type and its cards, its audience and its recipient, its state and its
-- instants. One function and not a CHECK for each, because PostgreSQL reads every CHECK's expression anew for each statement
-- that inserts: written out, these took a quarter of a gift's time in the database.
CREATE FUNCTION cards_trade_fits(
    type text, state text, audience text, recipient bigint, gives smallint[], takes smallint[],
    expires_at timestamptz, closed_at timestamptz
) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    RETURN (cardinality(gives) > 0) = (type IN ('gift', 'swap'))
       AND (cardinality(takes) > 0) = (type IN ('request', 'swap'))
       AND type IN ('gift', 'request', 'swap')
       -- Who may accept is one from the start, or becomes one by accepting.
       AND audience IN ('one', 'some', 'link')
       AND (recipient IS NOT NULL) = (audience = 'one' OR state = 'accepted')
       AND (closed_at IS NULL) = (state = 'open')
       -- A direct gift has no end, since it is never open.
       AND (expires_at IS NOT NULL OR state <> 'open');
END
$$;
