-- One campaign-wide fact with the campaign's own gapless number; see append_events.
CREATE FUNCTION fortunes_append_broadcast(the_campaign bigint, the_type text, the_data jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    number bigint;
BEGIN
    INSERT INTO fortunes_campaignfeed AS f (campaign_id, seq) VALUES (the_campaign, 1)
    ON CONFLICT (campaign_id) DO UPDATE SET seq = f.seq + 1
    RETURNING f.seq INTO number;
    INSERT INTO fortunes_broadcast (campaign_id, seq, type, data) VALUES (the_campaign, number, the_type, the_data);
    RETURN number;
END
$$;
