-- A sign of life; with it go the processes that have given none for an hour. A number may come to another kind of process.
WITH gone AS (
    DELETE FROM fortunes_process WHERE seen_at < fortunes_clock() - interval '1 hour' AND name <> %(name)s
)
INSERT INTO fortunes_process (name, kind)
VALUES (%(name)s, %(kind)s)
ON CONFLICT (name) DO UPDATE SET seen_at = fortunes_clock(), kind = excluded.kind
