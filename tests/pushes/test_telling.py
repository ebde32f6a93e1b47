"""What is news for somebody who was away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from accounts import telling
from fortunes.events import TELLING, TYPES, Telling

NOW = datetime(2027, 2, 1, 4, tzinfo=UTC)
TYPES_OF_TRADES = {
    "proposed": Telling(pushed=True, by="by", about="trade"),
    "accepted": Telling(pushed=True, by="by", about="trade"),
    "closed": Telling(about="trade"),
    "given": Telling(pushed=True),
    "counted": Telling(),
}


class Happened(NamedTuple):
    type: str
    data: dict[str, Any]
    at: datetime = NOW


def chosen(*events: Happened, muted: tuple[str, ...] = ()) -> list[Happened]:
    return telling.chosen(events, TYPES_OF_TRADES, player="me", muted=muted, now=NOW)


def test_in_order_and_only_what_is_for_telling():
    given, counted, unknown = Happened("given", {}), Happened("counted", {}), Happened("of tomorrow", {})
    proposed = Happened("proposed", {"by": "bob", "trade": "7"})
    assert chosen(given, counted, unknown, proposed, given) == [given, proposed, given]


def test_not_what_one_did_oneself():
    assert chosen(Happened("proposed", {"by": "me", "trade": "7"})) == []


def test_not_what_is_muted():
    assert chosen(Happened("given", {}), Happened("counted", {}), muted=("given",)) == []


def test_of_one_thing_the_newest():
    mine = Happened("proposed", {"by": "me", "trade": "7"})
    theirs = Happened("proposed", {"by": "bob", "trade": "8"})
    answered = Happened("accepted", {"by": "bob", "trade": "7"})
    assert chosen(mine, theirs, answered) == [theirs, answered]
    assert chosen(theirs, Happened("closed", {"by": None, "trade": "8"})) == []


def test_not_what_has_expired():
    soon, over = (NOW + timedelta(seconds=1)).isoformat(), NOW.isoformat().replace("+00:00", "Z")
    going, gone = (
        Happened("proposed", {"by": "bob", "trade": trade, "expires_at": at})
        for trade, at in (("7", soon), ("8", over))
    )
    assert chosen(going, gone) == [going]


def test_not_what_is_old():
    old, recent = NOW - telling.OLDEST, NOW - telling.OLDEST + timedelta(seconds=1)
    assert chosen(Happened("given", {}, old), Happened("given", {}, recent)) == [Happened("given", {}, recent)]


def test_every_type_that_is_told_says_who_did_it_or_that_nobody_did():
    """The rest is what support, the system, the clock or a vote did."""
    nobody = {name for name, telling in TELLING.items() if telling.pushed and telling.by is None}
    assert nobody == {"card.converted", "compensation.paid", "draw.granted", "invitation.credited"}
    for name, how in TELLING.items():
        assert {how.by, how.about} - {None} <= set(TYPES[name].__struct_fields__)


def test_broadcasts_are_for_everybody_and_not_pushed():
    assert not [name for name, how in TELLING.items() if how.pushed and name.startswith("campaign.")]
