SELECT * FROM cards_date_hands(
    %(aftermath)s, %(next)s, %(version)s, %(full_set)s::smallint[], %(wild)s::smallint, %(since)s, %(most)s
)
