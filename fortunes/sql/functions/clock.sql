-- The one clock. clock_timestamp() and not now(): now() is the transaction's start, so a late commit would slip past a
-- deadline. Tests shift time by replacing this function as its owner. A column default needs it as a function.
CREATE FUNCTION fortunes_clock() RETURNS timestamptz
LANGUAGE sql VOLATILE PARALLEL SAFE
AS $$ SELECT clock_timestamp() $$;
