-- What was answered under an idempotency key before: 'replayed' with the facts of then, 'key-reused' where another request
-- came with it, null for a fresh one. Keys are the player's own, so whoever looks holds the lock on that player's hand:
-- a concurrent duplicate waits there, and then finds the answer.
CREATE FUNCTION cards_first_answer(
    player bigint, the_route text, the_key text, the_body_hash bytea, OUT status text, OUT facts text
)
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    SELECT CASE WHEN k.body_hash = the_body_hash THEN 'replayed' ELSE 'key-reused' END, k.result
      INTO status, facts
      FROM fortunes_idempotencykey k
     WHERE k.player_id = player AND k.route = the_route AND k.key = the_key;
END
$$;
