-- What is voted on stays what it was when the vote opened: its options are neither taken away nor swapped. Which of
-- their columns may be written is a matter of rights: only the count, at the close.
CREATE FUNCTION fortunes_keep_options() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF EXISTS (SELECT FROM fortunes_proposal p WHERE p.id = OLD.proposal_id AND p.state <> 'draft') THEN
        RAISE EXCEPTION 'the options of an opened vote stay: % refused', TG_OP USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END
$$;
