-- Why a player can't answer (accept or decline) a trade now; null if they can. `trade` was read under the lock on its
-- proposer's hand, without which no trade changes; `at` is the gate's. Who is asked by nobody learns nothing, so 'trade-not-found'
-- is the first of all. `said` is the state that a closed trade is in, for them: who has declined needn't be asked again.
CREATE FUNCTION cards_answer_refusal(
    trade cards_trade, player bigint, by_link boolean, at timestamptz, OUT status text, OUT said text
)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    asked record;
BEGIN
    SELECT trade.recipient_id = player AS found, NULL::timestamptz AS declined_at INTO asked;
    IF trade.audience = 'some' THEN
        SELECT true AS found, a.declined_at INTO asked
          FROM cards_addressee a WHERE a.trade_id = trade.id AND a.player_id = player;
    END IF;
    status := CASE WHEN trade.audience = 'link' AND NOT by_link THEN 'trade-not-found'
                   WHEN trade.audience <> 'link' AND asked.found IS NOT TRUE THEN 'trade-not-found'
                   WHEN trade.state <> 'open' OR asked.declined_at IS NOT NULL THEN 'trade-closed'
                   WHEN trade.expires_at <= at THEN 'trade-expired' END;
    IF status = 'trade-closed' THEN
        said := CASE WHEN trade.state <> 'open' THEN trade.state ELSE 'declined' END;
    END IF;
END
$$;
