-- Nothing personal is left of an erased player, and nobody is tied to them: what is.
SELECT p.id AS player_id, p.erased_at
  FROM accounts_player p
 WHERE p.erased_at IS NOT NULL
   AND (p.is_active OR p.nickname <> '' OR p.username !~ '^erased-[0-9a-f]{16}$' OR p.password !~ '^!'
        OR EXISTS (SELECT 1 FROM accounts_phone n WHERE n.player_id = p.id)
        OR EXISTS (SELECT 1 FROM accounts_federatedidentity i WHERE i.player_id = p.id)
        OR EXISTS (SELECT 1 FROM accounts_notificationsettings s WHERE s.player_id = p.id)
        OR EXISTS (SELECT 1 FROM accounts_invitationlink l
                    WHERE l.player_id = p.id AND (l.revoked_at IS NULL OR l.channel <> ''))
        OR EXISTS (SELECT 1 FROM fortunes_comment c WHERE c.player_id = p.id AND c.text <> '')
        OR EXISTS (SELECT 1 FROM accounts_friendship f WHERE f.player_id = p.id OR f.friend_id = p.id))
