-- Of every unit of a released tranche exactly one thing is true: it is in stock, or it was drawn once.
WITH released AS (
    SELECT t.campaign_id, t.kind, t.first_serial, t.first_serial + t.units - 1 AS last_serial, t.units
      FROM cards_stocktranche t WHERE t.released_at IS NOT NULL
)
SELECT r.campaign_id, r.kind, r.first_serial, r.units, stock.units AS in_stock, drawn.units AS drawn
  FROM released r,
       LATERAL (SELECT count(*) AS units FROM cards_stock s WHERE s.campaign_id = r.campaign_id AND s.kind = r.kind
                   AND s.serial BETWEEN r.first_serial AND r.last_serial) stock,
       LATERAL (SELECT count(*) AS units FROM cards_draw d WHERE d.campaign_id = r.campaign_id AND d.kind = r.kind
                   AND d.serial BETWEEN r.first_serial AND r.last_serial) drawn
 WHERE stock.units + drawn.units <> r.units
UNION ALL
-- A capped kind is never drawn without a serial of a released tranche.
SELECT d.campaign_id, d.kind, d.serial, NULL, NULL, 1
  FROM cards_draw d
  JOIN cards_cardkind k ON k.campaign_id = d.campaign_id AND k.ordinal = d.kind
  JOIN fortunes_rulebook b ON b.campaign_id = d.campaign_id AND b.version = d.rulebook_version
 WHERE b.rules -> 'caps' ? k.slug
   AND NOT EXISTS (SELECT 1 FROM released r WHERE r.campaign_id = d.campaign_id AND r.kind = d.kind
                      AND d.serial BETWEEN r.first_serial AND r.last_serial)
