-- Write that a trade moved `gives` from its proposer to the one who accepted, and `takes` the other way.
CREATE FUNCTION cards_record_transfers(
    the_campaign bigint, the_trade bigint, proposer bigint, accepter bigint, gives smallint[], takes smallint[], at timestamptz
) RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    INSERT INTO cards_transfer (campaign_id, kind, giver_id, receiver_id, trade_id, position, at)
    SELECT the_campaign, k.kind,
           CASE WHEN k.place <= cardinality(gives) THEN proposer ELSE accepter END,
           CASE WHEN k.place <= cardinality(gives) THEN accepter ELSE proposer END,
           the_trade, k.place - 1, cards_record_transfers.at
      FROM unnest(gives || takes) WITH ORDINALITY AS k (kind, place);
END
$$;
