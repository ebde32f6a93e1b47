-- The types of empty arrays can't be guessed.
SELECT * FROM fortunes_cast(
    %(campaign)s, %(route)s,
    %(players)s::bigint[], %(keys)s::text[], %(body_hashes)s::bytea[],
    %(proposals)s::uuid[], %(options)s::smallint[], %(receipts)s::bytea[], %(leaves)s::bytea[]
)
