-- Each credit that was given is one draw of the inviter's for that invited player, who has drawn a card of their own; and the
-- inviter was told once.
WITH sources AS (
    SELECT s.campaign_id, s.ordinal FROM cards_source s WHERE s.type = 'invitation'
)
SELECT c.campaign_id, c.invited_id, c.inviter_id, c.draw
  FROM cards_invitationcredit c
  LEFT JOIN sources s ON s.campaign_id = c.campaign_id
  LEFT JOIN cards_draw d ON d.campaign_id = c.campaign_id AND d.source = s.ordinal AND d.nonce = int8send(c.invited_id)
 WHERE (c.state = 'credited') <> (d.id IS NOT NULL)
    OR (c.state = 'credited' AND (d.player_id <> c.inviter_id OR d.public_id <> c.draw))
    OR (c.state = 'credited' AND 1 <> (SELECT count(*) FROM fortunes_event e
                                        WHERE e.player_id = c.inviter_id AND e.type = 'invitation.credited'
                                          AND e.data ->> 'draw' = c.draw::text))
    OR NOT EXISTS (SELECT 1 FROM cards_hand h JOIN cards_source o ON o.campaign_id = h.campaign_id
                    WHERE h.campaign_id = c.campaign_id AND h.player_id = c.invited_id
                      AND o.type IN ('code', 'check-in') AND h.used[o.ordinal + 1] > 0)
UNION ALL
-- And no draw for an invitation is without its credit.
SELECT d.campaign_id, NULL, d.player_id, d.public_id
  FROM cards_draw d JOIN sources s ON s.campaign_id = d.campaign_id AND s.ordinal = d.source
 WHERE NOT EXISTS (SELECT 1 FROM cards_invitationcredit c
                    WHERE c.campaign_id = d.campaign_id AND c.inviter_id = d.player_id AND c.draw = d.public_id)
