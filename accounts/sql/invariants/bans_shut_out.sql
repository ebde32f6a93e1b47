-- Whoever is banned is shut out: bans in force of players who may still sign in.
SELECT b.id AS ban_id, b.player_id
  FROM accounts_ban b
  JOIN accounts_player p ON p.id = b.player_id
 WHERE b.lifted_at IS NULL AND p.is_active
