-- RFC 3339 in UTC, as fortunes.answers.instant writes it, for the payloads of events.
CREATE FUNCTION cards_instant(at timestamptz) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN to_char(at AT TIME ZONE 'UTC', CASE WHEN extract(microseconds FROM at)::bigint % 1000000 = 0
                                               THEN 'YYYY-MM-DD"T"HH24:MI:SS"Z"' ELSE 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"' END);
END
$$;
