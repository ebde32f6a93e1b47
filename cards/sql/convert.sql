SELECT * FROM cards_convert(
    %(aftermath)s, %(after)s, %(upto)s, %(next)s::text,
    %(version)s, %(full_set)s::smallint[], %(wild)s::smallint, %(slugs)s::text[],
    %(players)s::bigint[], %(kinds)s::smallint[], %(held)s::smallint[], %(cards)s::smallint[], %(fens)s::bigint[],
    %(chances)s::boolean[], %(got_by)s::integer[], %(got)s::smallint[]
)
