-- Every announcement that was published and every reply of staff was broadcast once, and nothing else was: what is
-- wrong, and how often it was told.
SELECT coalesce(said.campaign_id, told.campaign_id) AS campaign_id, coalesce(said.id, told.id) AS id,
       coalesce(told.times, 0) AS times
  FROM (SELECT a.campaign_id, a.public_id::text AS id FROM fortunes_announcement a WHERE a.published_at IS NOT NULL
         UNION ALL
        SELECT p.campaign_id, c.public_id::text
          FROM fortunes_comment c JOIN fortunes_proposal p ON p.id = c.proposal_id WHERE c.by_staff) said
  FULL JOIN (SELECT b.campaign_id, coalesce(b.data->>'announcement', b.data->>'comment') AS id, count(*) AS times
               FROM fortunes_broadcast b WHERE b.type IN ('announcement.published', 'comment.answered')
              GROUP BY 1, 2) told USING (campaign_id, id)
 WHERE said.id IS NULL OR told.times IS DISTINCT FROM 1
