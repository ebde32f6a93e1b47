SELECT * FROM cards_give(
    %(campaign)s, %(version)s, %(barred)s::smallint[], %(full_set)s::smallint[], %(wild)s::smallint, %(received_per_day)s, %(cooling_h)s,
    %(giver)s, %(receiver)s, %(gives)s::smallint[],
    %(route)s, %(key)s, %(body_hash)s, %(trade)s, %(state)s, %(sent)s::jsonb, %(received)s::jsonb
)
