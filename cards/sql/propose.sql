SELECT * FROM cards_propose(
    %(campaign)s, %(version)s, %(barred)s::smallint[], %(cooling_h)s, %(lifetime_h)s, %(open_trades)s, %(open_links)s,
    %(links_per_day)s, %(proposals_per_day)s,
    %(proposer)s, %(type)s, %(audience)s, %(friends)s::uuid[], %(gives)s::smallint[], %(takes)s::smallint[],
    %(note)s, %(code)s::text, %(channel)s::text,
    %(route)s, %(key)s, %(body_hash)s, %(trade)s, %(state)s, %(proposed)s::jsonb
)
