-- Money takes no other way than these: from a campaign's sponsor to its own pool and its own compensations, from a pool to
-- wallets and back to a sponsor (packets_move_their_payout says how much), from compensations to a wallet for a case of its
-- player, or for what a vote promised (conversions_are_paid_once). So nothing comes into a wallet from nowhere, and nothing leaves one.
SELECT e.id, e.source_kind, e.source_owner, e.destination_kind, e.destination_owner, e.amount_fen, e.business_key
  FROM redpackets_ledgerentry e
  LEFT JOIN redpackets_pool o ON e.destination_kind = 'pool' AND o.id = e.destination_owner
 WHERE NOT CASE e.source_kind || ' ' || e.destination_kind
               WHEN 'sponsor pool' THEN o.campaign_id IS NOT DISTINCT FROM e.source_owner
               WHEN 'sponsor goodwill' THEN e.source_owner = e.destination_owner
               WHEN 'pool wallet' THEN true
               WHEN 'pool sponsor' THEN true
               WHEN 'goodwill wallet' THEN starts_with(e.business_key, 'compensation:' || e.destination_owner || ':')
                    OR starts_with(e.business_key, 'conversion:')
               ELSE false
           END
