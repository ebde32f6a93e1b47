-- How many win in a chunk, and the hash of who: SHA-256 over their ids as int64be, ascending.
SELECT count(*) AS winners,
       sha256(coalesce(string_agg(int8send(w.player_id), ''::bytea ORDER BY w.player_id), ''::bytea)) AS ids_hash
  FROM redpackets_winners(
           %(campaign)s, %(low)s, %(high)s, %(kinds)s::smallint[], %(wild)s::smallint, %(frozen_at)s::timestamptz
       ) w
