-- The types of empty arrays and of arrays of nulls can't be guessed.
SELECT * FROM cards_scan(
    %(campaign)s, %(version)s,
    %(players)s::bigint[], %(keys)s::text[], %(body_hashes)s::bytea[],
    %(sources)s::smallint[], %(nonces)s::bytea[], %(expiries)s::timestamptz[],
    %(batches)s::integer[], %(days)s::date[],
    %(wishes)s::smallint[], %(alternatives)s::smallint[],
    %(per_day)s::smallint[], %(per_campaign)s::smallint[], %(capped)s::boolean[],
    %(full_set)s::smallint[], %(wild)s::smallint
)
