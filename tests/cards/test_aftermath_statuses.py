"""What the SQL functions of aftermaths answer where no usual path leads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Player
from cards import catalogue
from cards.models import Aftermath, Hand
from fortunes import clock, sql
from fortunes.models import Campaign
from tests.factories import aftermaths as rules
from tests.factories import cards as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def season() -> Campaign:
    return rules.season_with_steals()


def say(function: str, row: Aftermath, **given: Any) -> str:
    """The answer to a worker who wants to convert nothing, or to look at a few hands, by version 2."""
    params = {
        "aftermath": row.pk, "kinds": [], "state": "voided", "next": "done", "most_hands": 9, "most_trades": 9,
        "after": 0, "upto": 0, "version": 2, "full_set": [0], "wild": None, "slugs": [], "players": [], "held": [],
        "cards": [], "fens": [], "chances": [], "got_by": [], "got": [], "since": clock.now(), "most": 9,
    }  # fmt: skip
    answer: str = sql.fetch_alone(sql.text("cards", function), params | given)[0].status
    return answer


def at(season: Campaign, state: str) -> Aftermath:
    rules.remove(season, "steal")
    return Aftermath.objects.create(campaign=season, version=2, state=state)


STEPS = {"void": "void", "convert": "convert", "date_hands": "complete"}


@pytest.mark.parametrize(("function", "state"), STEPS.items())
def test_another_step_is_somebody_elses(season: Campaign, function: str, state: str) -> None:
    (other, *_) = set(STEPS.values()) - {state}
    row = at(season, other)
    assert say(function, row) == "busy"
    row.refresh_from_db()
    assert (row.state, row.last_player) == (other, 0)


@pytest.mark.parametrize(("function", "state"), STEPS.items())
def test_after_the_freeze(season: Campaign, function: str, state: str) -> None:
    row = at(season, state)
    Campaign.objects.filter(pk=season.pk).update(
        closes_at=season.opens_at + timedelta(seconds=1), frozen_at=clock.now()
    )  # fmt: skip
    assert say(function, row) == "frozen"
    row.refresh_from_db()
    assert row.state == state


@pytest.mark.parametrize(("function", "state"), STEPS.items())
def test_as_it_is_meant(season: Campaign, function: str, state: str) -> None:
    row = at(season, state)
    assert say(function, row) == "moved"
    row.refresh_from_db()
    assert row.state == "done" and row.done_at is not None


@pytest.mark.parametrize("function", ["convert", "date_hands"])
def test_by_rules_of_yesterday(season: Campaign, function: str) -> None:
    row = at(season, STEPS[function])
    assert say(function, row, version=1) == "stale-rulebook"
    row.refresh_from_db()
    assert row.state == STEPS[function]


@pytest.mark.parametrize("counts", [{"steal": 2}, {"steal": 1, "harmony": 32_767}])
def test_a_hand_that_has_changed_since_it_was_looked_at(
    season: Campaign, alice: Player, counts: dict[str, int]
) -> None:
    """It holds other cards, or has no room any more."""
    make.deal(season, alice, "steal")
    kinds = catalogue.of(season.pk).kinds
    row = at(season, "convert")
    Hand.objects.filter(player=alice).update(counts=[counts.get(kind, 0) for kind in kinds])
    given = {
        "players": [alice.pk], "kinds": [kinds.index("steal")], "held": [1], "cards": [1], "fens": [0],
        "chances": [False], "got_by": [1], "got": [kinds.index("wild")], "slugs": list(kinds), "upto": alice.pk,
    }  # fmt: skip
    assert say("convert", row, **given) == "changed"
    assert make.held(season, alice) == counts
