-- For append-only tables: nobody changes or deletes rows, not even the owner by mistake. The application's role has no
-- right to in the first place.
CREATE FUNCTION redpackets_refuse_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
