-- One more open of a link, exactly. Whoever gets the link's row adds its own open and those that were put aside; while somebody
-- else has it, the open is put aside as a row of its own. So nobody who follows a link waits for its row, however many do.
-- What is put aside after the last look stays there, and is counted with the rest: cards.actions.links.
-- The ORM has no SKIP LOCKED in an UPDATE.
WITH mine AS MATERIALIZED (
    SELECT l.trade_id FROM cards_sharelink l WHERE l.trade_id = %(link)s FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    DELETE FROM cards_linkopen o USING mine WHERE o.link_id = mine.trade_id RETURNING o.id
), counted AS (
    UPDATE cards_sharelink l SET opens = l.opens + 1 + (SELECT count(*) FROM taken)
      FROM mine WHERE l.trade_id = mine.trade_id
)
INSERT INTO cards_linkopen (link_id) SELECT %(link)s WHERE NOT EXISTS (SELECT 1 FROM mine)
