INSERT INTO cards_transfer (campaign_id, kind, giver_id, receiver_id, trade_id, position, at)
SELECT %(campaign)s, k.kind, %(giver)s, %(receiver)s, %(trade)s, k.place - 1, %(at)s
  FROM unnest(%(kinds)s::smallint[]) WITH ORDINALITY AS k (kind, place)
