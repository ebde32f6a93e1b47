SELECT * FROM cards_void(
    %(aftermath)s, %(kinds)s::smallint[], %(state)s, %(next)s, %(most_hands)s, %(most_trades)s
)
