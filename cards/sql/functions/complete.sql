-- Whether every ordinal of `full_set` is there; what is in escrow still counts for its giver.
CREATE FUNCTION cards_complete(counts smallint[], escrow smallint[], full_set smallint[]) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$ SELECT coalesce(bool_and(counts[k + 1] + escrow[k + 1] > 0), false) FROM unnest(full_set) AS k $$;
