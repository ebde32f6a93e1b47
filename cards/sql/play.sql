SELECT * FROM cards_play(
    %(campaign)s, %(version)s, %(full_set)s::smallint[], %(wild)s::smallint, %(stealing)s, %(cooling_h)s,
    %(type)s, %(allowed)s, %(special)s::smallint, %(player)s, %(friend)s::uuid,
    %(wanted)s::smallint, %(fortunes)s::smallint[], %(slugs)s::text[], %(number)s::integer, %(roll)s::numeric,
    %(route)s, %(key)s, %(body_hash)s, %(play)s, %(told)s::text[], %(news)s::jsonb[]
)
