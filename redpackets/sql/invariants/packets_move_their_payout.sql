-- What leaves a pool is a payout, moved once and whole to the wallet of its player, or the return to its own sponsor.
SELECT e.id, e.business_key, e.source_owner AS pool, e.destination_kind, e.destination_owner, e.amount_fen
  FROM redpackets_ledgerentry e
  LEFT JOIN redpackets_payout p ON p.pool_id = e.source_owner AND p.player_id = e.destination_owner
  LEFT JOIN redpackets_settlement s ON s.pool_id = e.source_owner
  LEFT JOIN redpackets_pool o ON o.id = e.source_owner
 WHERE e.source_kind = 'pool'
   AND (s.sealed_at IS NULL OR CASE e.destination_kind
           WHEN 'wallet' THEN p.amount_fen IS DISTINCT FROM e.amount_fen
                OR e.business_key <> 'payout:' || e.source_owner || ':' || e.destination_owner
           WHEN 'sponsor' THEN s.returned_fen IS DISTINCT FROM e.amount_fen
                OR e.destination_owner IS DISTINCT FROM o.campaign_id
                OR e.business_key <> 'return:' || e.source_owner
           ELSE true
       END)
