-- Whether no more kinds of `full_set` are missing than there are wild cards that fill in. `wild` is the ordinal of the wild
-- card, null where the rules let it fill nothing. What is in escrow still counts for its giver, the wild cards too.
--
-- The one predicate of a complete set for a single hand; redpackets_winners says the same for many, inlined.
CREATE FUNCTION cards_is_complete(counts smallint[], escrow smallint[], full_set smallint[], wild smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
    SELECT count(*) FILTER (WHERE counts[k + 1] + escrow[k + 1] = 0) <= coalesce(counts[wild + 1] + escrow[wild + 1], 0)
       AND count(*) > 0
      FROM unnest(full_set) AS k
$$;
