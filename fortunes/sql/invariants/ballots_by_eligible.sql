-- Each ballot is of a player who had joined the campaign before its vote opened, for an option of that vote, and what is
-- published of it follows from its receipt.
SELECT b.id, b.proposal_id, b.player_id, b.option
  FROM fortunes_ballot b
  LEFT JOIN fortunes_proposal p ON p.id = b.proposal_id
  LEFT JOIN fortunes_membership m ON m.player_id = b.player_id AND m.campaign_id = p.campaign_id
  LEFT JOIN fortunes_option o ON o.proposal_id = b.proposal_id AND o.number = b.option
 WHERE m.joined_at IS NULL OR m.joined_at >= p.opens_at OR o.number IS NULL
    OR b.leaf <> sha256(uuid_send(p.public_id) || b.receipt || set_byte('\x00', 0, b.option))
