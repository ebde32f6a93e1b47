"""Each invariant of the trades finds what is planted against it, and nothing in what the actions made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fortunes import invariants
from tests.factories import cards as make
from tests.factories import trades
from tests.factories.accounts import PlayerFactory

KNOWN = {known.name.removeprefix("cards/"): known for known in invariants.every() if known.name.startswith("cards/")}

# Single trades and plays of the season of the fixture, and what is done to them.
_ONE = "(SELECT min(id) FROM cards_trade WHERE campaign_id = {season} AND %s)"
REQUEST = _ONE % "type = 'request' AND state = 'accepted'"
SWAP = _ONE % "type = 'swap' AND state = 'accepted'"
SOME = _ONE % "audience = 'some' AND state = 'accepted'"
DECLINED = _ONE % "audience = 'some' AND state = 'declined'"
LINK = _ONE % "audience = 'link' AND state = 'open' AND type = 'gift'"
CANCELLED = _ONE % "state = 'cancelled'"
STEAL, WILD, COPY = (
    f"(SELECT id FROM cards_play WHERE campaign_id = {{season}} AND type = '{type_}')"
    for type_ in ("steal", "wild", "copy")
)
ROBBED_AGAIN = """
INSERT INTO cards_play (public_id, campaign_id, type, kind, rulebook_version, at, player_id, friend_id, number)
SELECT gen_random_uuid(), campaign_id, type, kind, rulebook_version, at + interval '23 h',
"""
TRANSFER = "INSERT INTO cards_transfer (campaign_id, kind, giver_id, receiver_id, trade_id, position) "
BACK = "receiver_id = giver_id, giver_id = receiver_id"
HAND = "UPDATE cards_hand SET %s WHERE campaign_id = {season} AND player_id = {%s}"
RULE = "UPDATE fortunes_rulebook SET rules = jsonb_set(rules, '{{%s}}', '%s') WHERE campaign_id = {season}"
LOST = "UPDATE fortunes_event SET type = 'lost' WHERE campaign_id = {season} AND type = '%s' AND player_id = {%s}"
AGAIN = """
INSERT INTO fortunes_event (player_id, seq, campaign_id, type, data)
SELECT player_id, seq + 1000, campaign_id, type, data FROM fortunes_event WHERE campaign_id = {season} AND
"""
TO_DAVE = "UPDATE fortunes_event SET player_id = {dave}, seq = seq + 1000 WHERE campaign_id = {season} AND"
TOLD = (
    ("gift.sent", "alice"), ("gift.received", "bob"),
    ("trade.proposed", "alice"), ("trade.proposed", "bob"), ("trade.proposed", "charlie"),
    ("trade.accepted", "alice"), ("trade.accepted", "bob"), ("trade.accepted", "dave"),
    ("trade.closed", "alice"), ("trade.closed", "bob"), ("trade.closed", "charlie"),
    ("card.taken", "alice"), ("card.stolen", "bob"), ("card.turned", "alice"), ("card.copied", "alice"),
)  # fmt: skip

# Invariant → statements each of which breaks it.
PLANTS: dict[str, tuple[str, ...]] = {
    "cards_conserved": (
        "UPDATE cards_transfer SET receiver_id = {bob} WHERE campaign_id = {season} AND receiver_id IS NULL",
        "DELETE FROM cards_transfer WHERE giver_id IS NULL AND campaign_id = {season}",
    ),
    "hands_equal_history": (
        f"UPDATE cards_transfer SET receiver_id = {{charlie}} WHERE trade_id = {REQUEST}",
        "DELETE FROM cards_transfer WHERE giver_id IS NULL AND campaign_id = {season}",
    ),
    "trades_moved_their_cards": (
        f"UPDATE cards_trade SET gives = gives || 4::smallint WHERE id = {SWAP}",
        f"UPDATE cards_trade SET takes = '{{{{3}}}}' WHERE id = {REQUEST}",
        f"UPDATE cards_trade SET takes = gives, gives = takes WHERE id = {SWAP}",
        f"DELETE FROM cards_transfer WHERE trade_id = {REQUEST}",
        f"{TRANSFER} SELECT campaign_id, 0, {{alice}}, {{bob}}, {REQUEST}, 9 FROM cards_trade WHERE id = {REQUEST}",
        f"{TRANSFER} VALUES ({{season}}, 0, {{alice}}, {{bob}}, {CANCELLED}, 0)",
        f"UPDATE cards_transfer SET {BACK} WHERE trade_id = {SWAP} AND position = 0",
        f"UPDATE cards_transfer SET at = at + interval '1 s' WHERE trade_id = {REQUEST}",
    ),
    "plays_moved_their_cards": (
        f"DELETE FROM cards_transfer WHERE play_id = {WILD} AND position = 0",
        f"DELETE FROM cards_transfer WHERE play_id = {COPY} AND position = 1",
        f"UPDATE cards_transfer SET giver_id = NULL WHERE play_id = {STEAL} AND position = 1",
        f"UPDATE cards_transfer SET giver_id = {{bob}} WHERE play_id = {WILD} AND position = 1",
        f"UPDATE cards_transfer SET kind = 0 WHERE play_id = {COPY} AND position = 0",
        f"UPDATE cards_play SET kind = 4 WHERE id = {STEAL}",
        f"UPDATE cards_play SET rulebook_version = 2 WHERE id = {COPY}",
        RULE % ("specials", '["wild"]'),
        f"DELETE FROM cards_play WHERE id = {WILD}",
    ),
    "steals_kept": (
        f"UPDATE cards_play SET number = 2 WHERE id = {STEAL}",
        f"UPDATE cards_play SET among = '{{{{0,1}}}}' WHERE id = {STEAL}",
        f"{ROBBED_AGAIN} {{charlie}}, {{bob}}, 1 FROM cards_play WHERE id = {STEAL}",
        HAND % ("robbed_at = NULL", "bob"),
        HAND % ("robbed_at = fortunes_clock()", "alice"),
        RULE % ("stealing,per_day", 0),
        RULE % ("stealing,per_pair_per_day", 0),
    ),
    "escrow_is_in_open_links": (
        HAND % ("escrow[1] = escrow[1] + 1", "alice"),
        HAND % ("escrow = array_fill(0::smallint, ARRAY[8])", "alice"),
        f"UPDATE cards_trade SET state = 'expired', closed_at = expires_at WHERE id = {LINK}",
        f"UPDATE cards_trade SET gives = '{{{{4}}}}' WHERE id = {LINK}",
    ),
    "trades_fit_their_audience": (
        f"UPDATE cards_trade SET audience = 'one' WHERE id = {SOME}",
        f"DELETE FROM cards_addressee WHERE trade_id = {SOME}",
        f"DELETE FROM cards_addressee WHERE trade_id = {DECLINED}",
        f"UPDATE cards_addressee SET player_id = {{alice}} WHERE trade_id = {SOME} AND player_id = {{charlie}}",
        f"UPDATE cards_addressee SET campaign_id = 0 WHERE trade_id = {SOME}",
        f"UPDATE cards_addressee SET declined_at = fortunes_clock() WHERE trade_id = {SOME} AND player_id = {{bob}}",
        f"UPDATE cards_addressee SET declined_at = NULL WHERE trade_id = {DECLINED} AND player_id = {{charlie}}",
        f"UPDATE cards_trade SET state = 'open', closed_at = NULL WHERE id = {DECLINED}",
        f"UPDATE cards_trade SET state = 'declined', closed_at = created_at WHERE id = {LINK}",
        f"DELETE FROM cards_sharelink WHERE trade_id = {LINK}",
        f"UPDATE cards_sharelink SET player_id = {{bob}} WHERE trade_id = {LINK}",
        f"UPDATE cards_sharelink SET trade_id = {CANCELLED} WHERE trade_id = {LINK}",
        f"UPDATE cards_tradenote SET player_id = {{bob}} WHERE trade_id = {LINK}",
        f"UPDATE cards_trade SET type = 'gift' WHERE id = {SOME}",
        f"UPDATE cards_trade SET type = 'swap' WHERE id = {LINK}",
        f"UPDATE cards_trade SET expires_at = closed_at WHERE id = {REQUEST}",
        f"UPDATE cards_trade SET state = 'expired' WHERE id = {CANCELLED}",
    ),
    "open_trades_capped": (
        RULE % ("trading,open_trades", 1),
        RULE % ("trading,open_links", 1),
        RULE % ("trading,links_per_day", 2),
        RULE % ("trading,proposals_per_day", 2),
    ),
    "gifts_counted": (
        HAND % ("fed_today = fed_today + 1", "bob"),
        HAND % ("fed_day = fed_day + 1", "bob"),
        f"UPDATE cards_transfer SET receiver_id = {{charlie}} WHERE trade_id = {REQUEST}",
        RULE % ("trading,received_per_day", 1),
    ),
    "nothing_after_the_freeze": (
        f"UPDATE cards_trade SET closed_at = expires_at + interval '1 y' WHERE id = {CANCELLED}",
        f"UPDATE cards_trade SET expires_at = expires_at + interval '1 y' WHERE id = {LINK}",
        f"UPDATE cards_trade SET created_at = created_at - interval '1 y' WHERE id = {LINK}",
        f"UPDATE cards_play SET at = at + interval '1 y' WHERE id = {WILD}",
        f"UPDATE cards_transfer SET at = at + interval '1 y' WHERE trade_id = {REQUEST}",
    ),
    "references_exist": (
        f"UPDATE cards_trade SET campaign_id = 0 WHERE id = {REQUEST}",
        f"UPDATE cards_trade SET rulebook_version = 9 WHERE id = {REQUEST}",
        f"UPDATE cards_trade SET takes = '{{{{9}}}}' WHERE id = {REQUEST}",
        f"UPDATE cards_transfer SET kind = 9 WHERE trade_id = {REQUEST}",
        f"UPDATE cards_play SET kind = 9 WHERE id = {WILD}",
        f"UPDATE cards_play SET friend_id = 0 WHERE id = {COPY}",
        f"UPDATE cards_addressee SET player_id = 0 WHERE trade_id = {SOME}  AND player_id = {{charlie}}",
    ),
    "both_sides_were_told": (
        *(LOST % told for told in TOLD),
        f"{AGAIN} type = 'trade.accepted'",
        f"{AGAIN} type = 'card.stolen'",
        f"{TO_DAVE} type = 'trade.proposed' AND player_id = {{charlie}}",
    ),
}


UNGUARDED = """
DO $$
DECLARE c record;
BEGIN
    FOR c IN SELECT conrelid::regclass AS name, conname FROM pg_constraint
              WHERE contype IN ('c', 'f') AND conrelid::regclass::text ~ '^cards_' LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.name, c.conname);
    END LOOP;
END
$$
"""


@pytest.fixture(scope="module")
def traded(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, int]]:
    """The ids of a season with trades and plays of every kind and end, and of its players; committed."""
    with django_db_blocker.unblock():
        season = make.TradingSeasonFactory.create(rules={"specials": ["wild", "steal", "copy"]})
        alice, bob, charlie, dave = PlayerFactory.create_batch(4)
        trades.befriend(alice, bob, charlie)
        five = ["patriotism", "prosperity", "harmony", "friendliness", "dedication"]
        make.deal(season, alice, *five[:4], *five[:4], "wild", "steal", "copy")
        for player in (bob, charlie):
            make.deal(season, player, *five, *five)

        make.give(season, alice, bob, ["patriotism", "patriotism"])
        trades.accept(trades.request(season, alice, "harmony", to=[bob]).trade.id, bob)
        trades.decline(trades.request(season, alice, "harmony", to=[bob]).trade.id, bob)
        several = trades.request(season, alice, "prosperity", to=[bob, charlie]).trade.id
        trades.decline(several, charlie)
        trades.accept(several, bob)
        trades.accept(trades.request(season, alice, "prosperity", everyone=True).trade.id, bob)
        refused = trades.request(season, bob, "prosperity", to=[alice, charlie]).trade.id
        trades.decline(refused, alice)
        trades.decline(refused, charlie)
        swap = trades.offer(season, alice, ["harmony", "friendliness"], ["dedication"], to=[bob])
        trades.accept(swap.trade.id, bob)
        trades.cancel(trades.offer(season, alice, ["harmony"], ["dedication"], everyone=True).trade.id, alice)
        claimed = trades.link_gift(season, alice, "prosperity")
        assert claimed.trade.link
        trades.follow(claimed.trade.link.code, dave)
        trades.link_gift(season, alice, "friendliness", note="for you")
        trades.request(season, alice, "patriotism", link="qr")
        trades.request(season, alice, "patriotism", to=[bob])
        trades.steal(season, alice, bob, "friendliness")
        trades.turn(season, alice, "patriotism")
        trades.copy(season, alice, bob, "dedication")
        ids = {player.username: player.pk for player in (alice, bob, charlie, dave)}
        yield {"season": season.pk, **dict(zip(("alice", "bob", "charlie", "dave"), ids.values(), strict=True))}


@pytest.mark.committed
@pytest.mark.parametrize(
    ("name", "plant"),
    [
        pytest.param(name, plant, id=f"{name}-{number}")
        for name, plants in PLANTS.items()
        for number, plant in enumerate(plants)
    ],
)
def test_a_planted_violation_is_found(
    name: str, plant: str, traded: dict[str, int], owner_connection: psycopg.Connection
) -> None:
    with owner_connection.transaction(force_rollback=True):
        # What should never be is refused by constraints first; here it is let through.
        owner_connection.execute(UNGUARDED)
        assert not found(name, owner_connection)
        changed = owner_connection.execute(plant.format(**traded).encode())
        assert changed.rowcount > 0
        assert found(name, owner_connection)


def found(name: str, connection: psycopg.Connection) -> bool:
    query = f"SELECT * FROM ({KNOWN[name].query}) AS violation LIMIT 1"
    return bool(connection.execute(query.encode()).fetchall())
