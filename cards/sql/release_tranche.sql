-- One tranche becomes unit rows. The statement claims it, so two releases never insert the same serials.
WITH claimed AS (
    UPDATE cards_stocktranche t
       SET released_at = fortunes_clock()
     WHERE t.id = (SELECT w.id FROM cards_stocktranche w
                     JOIN fortunes_campaign c ON c.id = w.campaign_id
                    WHERE w.released_at IS NULL
                      AND w.available_at <= fortunes_clock() + make_interval(secs => %(ahead_s)s)
                      AND c.frozen_at IS NULL
                    ORDER BY w.available_at, w.id
                    LIMIT 1
                      FOR UPDATE OF w SKIP LOCKED)
    RETURNING t.*
)
INSERT INTO cards_stock (campaign_id, kind, serial, available_at)
SELECT c.campaign_id, c.kind, unit.serial, c.available_at
  FROM claimed c, generate_series(c.first_serial, c.first_serial + c.units - 1) AS unit (serial)
