-- The announcements of a campaign as players read them: pinned ones first, then the newest, before a place in that
-- order (null for the beginning). The ORM can't compare rows of such columns.
SELECT a.id, a.public_id, a.title_zh, a.title_en, a.body_zh, a.body_en, a.pinned, a.published_at
  FROM fortunes_announcement a
 WHERE a.campaign_id = %(campaign)s AND a.published_at IS NOT NULL AND a.withdrawn_at IS NULL
   AND (%(at)s::timestamptz IS NULL
        OR (a.pinned, a.published_at, a.id) < (%(pinned)s::boolean, %(at)s::timestamptz, %(id)s::bigint))
 ORDER BY a.pinned DESC, a.published_at DESC, a.id DESC
 LIMIT %(limit)s
