"""What became of removed cards, as their player reads it."""

from __future__ import annotations

import pytest

from accounts.models import Player
from cards.models import Conversion
from fortunes.answers import instant
from fortunes.models import Campaign, DatabaseNow
from tests.cards.calling import get, items
from tests.factories import aftermaths as rules
from tests.factories import cards as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def season() -> Campaign:
    return rules.season_with_steals()


def test_conversions_newest_first(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, "steal", "copy", "copy", "wild")
    make.deal(season, bob, "steal")
    rules.remove(season, "steal", promising=rules.INTO_WILD)
    rules.remove(season, "steal", "copy", promising={"copy": {"into": "fen", "amount_fen": 7}})
    rules.remove(season, "steal", "copy", "wild", promising={"wild": {"into": "fortune"}})
    rules.follow(season)
    Conversion.objects.filter(player=alice, fen__gt=0).update(paid_at=DatabaseNow())

    chance, money, wild = items(alice, f"campaigns/{season.slug}/conversions")
    first, second, third = Conversion.objects.filter(player=alice).order_by("pk")
    assert wild == {
        "id": str(first.public_id), "rulebook_version": 2, "kind": "steal", "cards": 1, "into": ["wild"],
        "amount_fen": 0, "paid_at": None, "chance": None, "converted_at": instant(first.at),
    }  # fmt: skip
    assert (money["kind"], money["cards"], money["into"], money["amount_fen"]) == ("copy", 2, [], 14)
    assert second.paid_at and money["paid_at"] == instant(second.paid_at)
    assert (chance["kind"], chance["cards"], len(chance["into"])) == ("wild", 2, 2)
    assert chance["chance"] == {
        "campaign": season.pk, "player": alice.pk, "version": 4, "kind": third.kind
    }  # fmt: skip
    assert len(items(bob, f"campaigns/{season.slug}/conversions")) == 2


def test_they_are_in_the_history(season: Campaign, alice: Player) -> None:
    make.deal(season, alice, "steal", "copy")
    promised = rules.INTO_WILD | {"copy": {"into": "fen", "amount_fen": 7}}
    rules.remove(season, "steal", "copy", promising=promised)
    rules.follow(season)

    told = items(alice, f"campaigns/{season.slug}/history")
    assert sorted((entry["direction"], entry["kind"]) for entry in told if entry["via"] == "vote") == [
        ("in", "wild"), ("out", "copy"), ("out", "steal")
    ]  # fmt: skip
    known = {str(row.public_id) for row in Conversion.objects.filter(player=alice)}
    assert {entry["conversion"] for entry in told if entry["via"] == "vote"} == known
    assert all([entry[cause] for cause in ("draw", "trade", "play", "conversion")].count(None) == 3 for entry in told)


def test_an_unknown_season(alice: Player) -> None:
    assert get(alice, "campaigns/nowhere/conversions").status_code == 404
