-- A credit for each invited player whose first draw is in this span, where the campaign rewards invitations. `used_after`
-- is 1 in the first draw of each source; of several sources the constraint lets one through. Cards that came without
-- the player doing anything, by support or for an invitation of their own, don't count.
INSERT INTO cards_invitationcredit (campaign_id, invited_id, inviter_id, state, scanned_at, due_at)
SELECT d.campaign_id, d.player_id, r.inviter_id, 'waiting', d.at, fortunes_clock()
  FROM cards_draw d
  JOIN accounts_referral r ON r.invited_id = d.player_id
  JOIN cards_source s ON s.campaign_id = d.campaign_id AND s.ordinal = d.source AND s.type IN ('code', 'check-in')
 WHERE d.id > %(after)s AND d.id <= %(upto)s AND d.used_after = 1
   AND EXISTS (SELECT 1 FROM cards_source i WHERE i.campaign_id = d.campaign_id AND i.type = 'invitation')
 ORDER BY d.id
ON CONFLICT (campaign_id, invited_id) DO NOTHING
