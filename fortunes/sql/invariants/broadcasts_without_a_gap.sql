-- Each campaign's broadcasts run without a gap.
SELECT f.campaign_id, f.seq, b.first, b.last, b.rows
  FROM fortunes_campaignfeed f
  LEFT JOIN (SELECT campaign_id, min(seq) AS first, max(seq) AS last, count(*) AS rows
               FROM fortunes_broadcast GROUP BY campaign_id) b
    ON b.campaign_id = f.campaign_id
 WHERE b.last IS DISTINCT FROM f.seq OR b.rows <> b.last - b.first + 1
