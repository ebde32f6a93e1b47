SELECT * FROM cards_give(
    %(campaign)s, %(version)s, %(full_set)s::smallint[],
    %(giver)s, %(receiver)s::bigint, %(gives)s::smallint[],
    %(route)s, %(key)s, %(body_hash)s, %(trade)s, %(state)s, %(sent)s, %(received)s
)
