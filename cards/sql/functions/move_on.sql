-- Note that an aftermath has come as far as this player, or where there is a next step that it begins from the start.
CREATE FUNCTION cards_move_on(the_aftermath bigint, upto bigint, the_next text) RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    UPDATE cards_aftermath a
       SET state = coalesce(the_next, a.state), last_player = CASE WHEN the_next IS NULL THEN upto ELSE 0 END,
           done_at = CASE WHEN the_next = 'done' THEN fortunes_clock() END
     WHERE a.id = the_aftermath;
END
$$;
