-- Once sealed, payouts are as the rules at the freeze shared the pool. Evenly: nobody gets more than one fen more than
-- anybody else, and nothing at all where the remainder is returned. By chance: nobody gets less than the minimum. With
-- jackpots: no more winners than were drawn get more than the even share.
WITH shared AS (
    SELECT s.pool_id, s.minimum_fen,
           coalesce(s.share_fen / nullif(s.winners, 0), 0) AS each_fen,
           (SELECT coalesce(sum((tier ->> 'count')::bigint), 0) FROM jsonb_array_elements(s.jackpots) AS tier) AS drawn,
           coalesce(r.rules #>> '{split,mode}', 'even') AS mode,
           (coalesce(r.rules #>> '{split,remainder}', 'share') = 'share')::integer AS odd_fen
      FROM redpackets_settlement s
      JOIN redpackets_pool o ON o.id = s.pool_id
      JOIN fortunes_rulebook r ON r.campaign_id = o.campaign_id AND r.version = s.rulebook_version
     WHERE s.sealed_at IS NOT NULL
)
SELECT s.pool_id, s.mode, min(p.amount_fen) AS lowest_fen, max(p.amount_fen) AS highest_fen
  FROM shared s
  JOIN redpackets_payout p ON p.pool_id = s.pool_id
 GROUP BY s.pool_id, s.mode, s.minimum_fen, s.each_fen, s.drawn, s.odd_fen
HAVING CASE s.mode
           WHEN 'even' THEN max(p.amount_fen) - min(p.amount_fen) > s.odd_fen
           WHEN 'random' THEN min(p.amount_fen) < s.minimum_fen
           WHEN 'tiered' THEN min(p.amount_fen) < s.each_fen
               OR count(*) FILTER (WHERE p.amount_fen > s.each_fen + s.odd_fen) > s.drawn
           ELSE true
       END
