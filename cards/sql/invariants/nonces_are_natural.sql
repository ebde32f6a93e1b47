-- A draw without a code was not for somebody to choose: a check-in's nonce is its player and its own local day, an
-- invitation's is a player whom the drawing one has invited (cards/nonces.py).
SELECT d.id, s.type, d.player_id, d.nonce, d.at
  FROM cards_draw d
  JOIN cards_source s ON s.campaign_id = d.campaign_id AND s.ordinal = d.source
  JOIN fortunes_campaign c ON c.id = d.campaign_id
 WHERE CASE s.type
           WHEN 'check-in' THEN
               d.nonce <> int8send(d.player_id) || int4send(to_char(d.at AT TIME ZONE c.tz, 'YYYYMMDD')::integer)
           WHEN 'invitation' THEN NOT EXISTS (
               SELECT 1 FROM accounts_referral r
                WHERE r.invited_id = ('x' || encode(d.nonce, 'hex'))::bit(64)::bigint
                  AND r.inviter_id = d.player_id AND d.nonce = int8send(r.invited_id))
           ELSE false
       END
