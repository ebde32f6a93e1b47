-- Each to a time of its own, which the ORM says with a CASE for every row.
UPDATE fortunes_pushdue d
   SET due_at = w.due_at
  FROM unnest(%(players)s::bigint[], %(until)s::timestamptz[]) AS w (player, due_at)
 WHERE d.player_id = w.player
