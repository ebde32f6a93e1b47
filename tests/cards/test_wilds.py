"""Wild cards that are turned, one connection."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Player
from cards import catalogue, errors
from cards.models import Hand, Play
from fortunes import errors as ground
from fortunes import invariants, sql
from fortunes.models import Campaign, Event
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.fortunes import change_rules
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


def told(player: Player) -> dict[str, Any]:
    data: dict[str, Any] = Event.objects.get(player=player, type="card.turned").data
    return data


def test_a_wild_card_becomes_a_missing_one(season: Campaign, alice: Player) -> None:
    make.deal(season, alice, "wild", "harmony")
    receipt = play.turn(season, alice, "dedication")

    assert make.held(season, alice) == {"harmony": 1, "dedication": 1}
    assert (receipt.play.type, receipt.play.kind, receipt.play.friend) == ("wild", "dedication", None)
    assert (receipt.play.chance, receipt.hand.version) == (None, 3)
    assert told(alice) == {
        "play": str(receipt.play.id), "kind": "dedication", "hand_version": 3, "complete": False
    }  # fmt: skip
    kinds = catalogue.of(season.pk).kinds
    row = Play.objects.get(player=alice)
    assert (row.friend_id, row.number, row.among) == (None, None, None)
    moved = list(row.transfers.order_by("position").values_list("kind", "giver", "receiver"))
    assert moved == [(kinds.index("wild"), alice.pk, None), (kinds.index("dedication"), None, alice.pk)]
    assert not [known.name for known in invariants.every() if sql.fetch(known.query)]


def test_it_completes_a_set(season: Campaign, alice: Player) -> None:
    make.deal(season, alice, "wild", "patriotism", "prosperity", "harmony", "friendliness")
    assert Hand.objects.get(player=alice).completed_at is None
    play.turn(season, alice, "dedication")

    assert told(alice)["complete"] is True
    assert Hand.objects.get(player=alice).completed_at == Play.objects.get(player=alice).at


def test_it_stands_for_missing_cards_only(season: Campaign, alice: Player) -> None:
    make.deal(season, alice, "wild", "wild", "harmony", "dedication")
    play.link_gift(season, alice, "dedication")

    # What is in escrow is still hers.
    for kind in ("harmony", "dedication"):
        with pytest.raises(errors.KindHeld):
            play.turn(season, alice, kind)
    play.turn(season, alice, "patriotism")
    with pytest.raises(errors.KindHeld):
        play.turn(season, alice, "patriotism")
    assert make.held(season, alice) == {"harmony": 1, "patriotism": 1, "wild": 1}


def test_it_becomes_no_special_card(season: Campaign, alice: Player) -> None:
    make.deal(season, alice, "wild")
    for kind in ("steal", "wild", "copy"):
        with pytest.raises(errors.NotAFortune):
            play.turn(season, alice, kind)
    with pytest.raises(errors.KindUnknown):
        play.turn(season, alice, "happiness")


def test_without_a_wild_card(season: Campaign, alice: Player) -> None:
    with pytest.raises(errors.CardNotHeld):
        play.turn(season, alice, "harmony")
    make.deal(season, alice, "copy", "steal")
    with pytest.raises(errors.CardNotHeld):
        play.turn(season, alice, "harmony")
    assert not Event.objects.filter(player=alice).exists()


def test_a_rule_may_forbid_it(season: Campaign, alice: Player) -> None:
    make.deal(season, alice, "wild")
    change_rules(season, specials=["copy"])
    with pytest.raises(errors.RuleForbids) as refused:
        play.turn(season, alice, "harmony")
    assert refused.value.facts == {"role": "wild"}


def test_a_campaign_without_such_a_card(alice: Player) -> None:
    season = make.SeasonFactory.create()
    with pytest.raises(errors.RuleForbids):
        play.turn(season, alice, "harmony")


def test_the_same_key_answers_again(season: Campaign, alice: Player, clock: Clock) -> None:
    make.deal(season, alice, "wild", "wild")
    first = play.turn(season, alice, "harmony", key="k1")

    assert play.turn(season, alice, "harmony", key="k1") == first
    with pytest.raises(ground.IdempotencyKeyReused):
        play.turn(season, alice, "dedication", key="k1")
    clock.shift(timedelta(days=15))
    with pytest.raises(ground.CampaignFrozen):
        play.turn(season, alice, "dedication")
    assert play.turn(season, alice, "harmony", key="k1") == first
    assert make.held(season, alice) == {"harmony": 1, "wild": 1}
