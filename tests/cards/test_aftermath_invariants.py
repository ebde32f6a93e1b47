"""Each invariant of what follows from a version of the rules finds what is planted against it, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.cards.test_invariants import UNGUARDED, found
from tests.factories import aftermaths, trades
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory
from tests.factories.fortunes import change_rules

# Alice's conversions in the season of the fixture.
WILD, FORTUNE, FEN = (
    f"(SELECT v.id FROM cards_conversion v WHERE v.campaign_id = {{season}} AND v.player_id = {{alice}} AND {which})"
    for which in ("NOT v.by_chance AND v.fen = 0", "v.by_chance", "v.fen > 0")
)
FROZEN = (
    "UPDATE fortunes_campaign c SET closes_at = moment - interval '1 us', frozen_at = moment - interval '1 us' "
    "FROM (%s) late WHERE c.id = {season}"
)
TRANSFER = "INSERT INTO cards_transfer (campaign_id, kind, giver_id, receiver_id, conversion_id, position, at) "
PROMISE = (
    "UPDATE fortunes_compensation SET %s WHERE role = 'copy' AND rulebook_id IN (SELECT id FROM fortunes_rulebook "
)
OF_SEASON = "WHERE campaign_id = {season})"
HAND = "UPDATE cards_hand SET %s WHERE campaign_id = {season} AND player_id = {%s}"

PLANTS: dict[str, tuple[str, ...]] = {
    "conversions_moved_their_cards": (
        f"DELETE FROM cards_transfer WHERE conversion_id = {WILD} AND position = 0",
        f"DELETE FROM cards_transfer WHERE conversion_id = {WILD} AND receiver_id IS NOT NULL",
        f"{TRANSFER} SELECT campaign_id, kind, player_id, NULL, id, 99, at FROM cards_conversion WHERE id = {FEN}",
        f"UPDATE cards_transfer SET kind = 0 WHERE conversion_id = {FEN}",
        f"UPDATE cards_transfer SET at = at + interval '1 s' WHERE conversion_id = {FEN}",
        f"UPDATE cards_transfer SET giver_id = {{bob}} WHERE conversion_id = {WILD} AND giver_id IS NOT NULL",
        f"UPDATE cards_conversion SET fen = fen + 1 WHERE id = {FEN}",
        f"UPDATE cards_conversion SET by_chance = true WHERE id = {WILD}",
        f"UPDATE cards_conversion SET cards = cards + 1 WHERE id = {FEN}",
        f"UPDATE cards_conversion SET kind = 0 WHERE id = {FEN}",
        f"UPDATE cards_conversion SET at = at - interval '1 d' WHERE id = {FEN}",
        f'UPDATE cards_conversion SET "into" = array_fill(5::smallint, ARRAY[cards]) WHERE id = {FORTUNE}',
        f"DELETE FROM cards_conversion WHERE id = {FEN}",
        PROMISE % "role = 'gone'" + OF_SEASON,
        (
            "UPDATE fortunes_rulebook SET rules = jsonb_set(rules, '{{specials}}', '[\"steal\", \"copy\"]') "
            "WHERE campaign_id = {season}"
        ),
    ),
    "promises_kept": (
        HAND % ("counts[7] = 1", "alice"),
        "UPDATE cards_trade SET state = 'open', closed_at = NULL WHERE campaign_id = {season} AND state = 'voided'",
    ),
    "cards_conserved": (f"DELETE FROM cards_transfer WHERE conversion_id = {FEN}",),
    "hands_equal_history": (f"DELETE FROM cards_transfer WHERE conversion_id = {FEN}",),
    "both_sides_were_told": (
        (
            "UPDATE fortunes_event SET type = 'lost' WHERE campaign_id = {season} AND type = 'card.converted' "
            "AND player_id = {alice}"
        ),
        (
            "UPDATE fortunes_event SET type = 'lost' WHERE campaign_id = {season} AND type = 'trade.closed' "
            "AND player_id = {bob}"
        ),
        (
            "UPDATE fortunes_event SET player_id = {carol}, seq = seq + 1000 WHERE campaign_id = {season} "
            "AND type = 'card.converted' AND player_id = {alice}"
        ),
    ),
    "references_exist": (
        f"UPDATE cards_conversion SET kind = 9 WHERE id = {FEN}",
        f"UPDATE cards_conversion SET \"into\" = '{{{{9}}}}' WHERE id = {WILD}",
        f"UPDATE cards_conversion SET campaign_id = 0 WHERE id = {FEN}",
        "UPDATE cards_aftermath SET version = 99 WHERE campaign_id = {season} AND version = 2",
    ),
    "nothing_after_the_freeze": (
        FROZEN % "SELECT min(at) AS moment FROM cards_conversion WHERE campaign_id = {season}",
        FROZEN % "SELECT min(closed_at) AS moment FROM cards_trade WHERE campaign_id = {season} AND state = 'voided'",
    ),
    "completion_is_dated": (
        HAND % ("completed_at = NULL", "carol"),
        HAND % ("completed_at = fortunes_clock()", "alice"),
    ),
}


@pytest.fixture(scope="module")
def followed(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, int]]:
    """The ids of a season after four versions, and of its players; committed."""
    with django_db_blocker.unblock():
        season = aftermaths.season_with_steals()
        alice, bob, carol = PlayerFactory.create_batch(3)
        trades.befriend(alice, bob)
        make.deal(season, alice, "steal", "steal", "copy")
        make.deal(season, bob, "copy", "harmony")
        make.deal(season, carol, "patriotism", "prosperity", "harmony", "friendliness", "dedication", "wild")
        trades.request(season, bob, "steal", to=[alice])
        trades.link_gift(season, alice, "steal")
        promised = aftermaths.INTO_WILD | {"copy": {"into": "fen", "amount_fen": 7}}
        aftermaths.remove(season, "steal", "copy", promising=promised)
        change_rules(season, wilds_fill=True)
        aftermaths.follow(season)
        aftermaths.remove(season, "steal", "copy", "wild", promising={"wild": {"into": "fortune"}})
        aftermaths.follow(season)
        yield {"season": season.pk, "alice": alice.pk, "bob": bob.pk, "carol": carol.pk}


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
    name: str, plant: str, followed: dict[str, int], owner_connection: psycopg.Connection
) -> None:
    with owner_connection.transaction(force_rollback=True):
        # What should never be is refused by constraints first; here it is let through.
        owner_connection.execute(UNGUARDED)
        assert not found(name, owner_connection)
        assert owner_connection.execute(plant.format(**followed).encode()).rowcount > 0
        assert found(name, owner_connection)
