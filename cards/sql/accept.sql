SELECT * FROM cards_accept(
    %(version)s, %(barred)s::smallint[], %(full_set)s::smallint[], %(wild)s::smallint, %(received_per_day)s, %(cooling_h)s,
    %(trade)s, %(player)s, %(by_link)s,
    %(route)s, %(key)s, %(body_hash)s, %(state)s, %(accepted)s::jsonb, %(closed)s::jsonb
)
