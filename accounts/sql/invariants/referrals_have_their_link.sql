-- Who came in by an invitation came by a link of their inviter, made before: referrals of which that isn't so.
SELECT r.invited_id, r.inviter_id, r.link_id
  FROM accounts_referral r
  LEFT JOIN accounts_invitationlink l ON l.id = r.link_id
 WHERE l.player_id IS DISTINCT FROM r.inviter_id OR l.created_at > r.at
