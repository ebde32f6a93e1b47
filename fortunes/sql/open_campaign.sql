-- A campaign that players may see, whole, in the order of the model's columns. For nearly every request, so it is planned
-- once; the ORM takes three times as long to put it together as the database to answer it.
SELECT id, name_zh, name_en, public_id, slug, tz, opens_at, closes_at, reveal_at, opened_at, opened_by_id, frozen_at,
       settling_at, settled_at, archived_at, draw_key_id, draw_commitment, draw_secret, created_at
  FROM fortunes_campaign
 WHERE slug = %(slug)s AND opened_at IS NOT NULL
