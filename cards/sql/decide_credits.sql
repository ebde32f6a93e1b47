-- The arrays are parallel, one element a credit. A due time means that the credit goes on waiting.
UPDATE cards_invitationcredit c
   SET state = d.state, draw = d.draw, due_at = d.due_at,
       decided_at = CASE WHEN d.due_at IS NULL THEN fortunes_clock() END
  FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(draws)s::uuid[], %(dues)s::timestamptz[])
       AS d (id, state, draw, due_at)
 WHERE c.id = d.id
