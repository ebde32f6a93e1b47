"""Copies of a friend's card, one connection."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from accounts.actions import friendships
from accounts.models import Player
from cards import catalogue, errors
from cards.models import Hand, Play
from fortunes import errors as ground
from fortunes import invariants, sql
from fortunes.models import Campaign, Event
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory
from tests.factories.fortunes import change_rules
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


def test_a_copy_leaves_the_friend_theirs(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, "copy", "patriotism", "prosperity", "harmony", "friendliness")
    make.deal(season, bob, "dedication")
    told_before = Event.objects.filter(player=bob).count()
    receipt = play.copy(season, alice, bob, "dedication")

    assert make.held(season, bob) == {"dedication": 1}
    assert make.held(season, alice)["dedication"] == 1
    assert "copy" not in make.held(season, alice)
    assert (receipt.play.type, receipt.play.kind, receipt.play.friend) == ("copy", "dedication", bob.public_id)
    copied = Event.objects.get(player=alice, type="card.copied").data
    assert copied == {
        "play": str(receipt.play.id), "friend": str(bob.public_id), "kind": "dedication", "hand_version": 6,
        "complete": True,
    }  # fmt: skip
    # Nothing of theirs has changed, so they are told nothing.
    assert Event.objects.filter(player=bob).count() == told_before
    assert Hand.objects.get(player=bob).version == 1
    kinds = catalogue.of(season.pk).kinds
    moved = Play.objects.get(player=alice).transfers.order_by("position").values_list("kind", "giver", "receiver")
    assert list(moved) == [(kinds.index("copy"), alice.pk, None), (kinds.index("dedication"), None, alice.pk)]
    assert Hand.objects.get(player=alice).completed_at == Play.objects.get(player=alice).at
    assert not [known.name for known in invariants.every() if sql.fetch(known.query)]


def test_a_kind_may_be_copied_that_one_holds_already(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, "copy", "harmony")
    make.deal(season, bob, "harmony")

    assert play.copy(season, alice, bob, "harmony").hand.counts["harmony"] == 2


def test_what_a_friend_has_put_into_escrow_is_theirs_as_well(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, "copy")
    make.deal(season, bob, "harmony")
    play.link_gift(season, bob, "harmony")

    assert play.copy(season, alice, bob, "harmony").hand.counts["harmony"] == 1


def test_what_the_friend_does_not_hold(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, "copy", "harmony")
    with pytest.raises(errors.FriendLacksCard):
        play.copy(season, alice, bob, "harmony")
    make.deal(season, bob, "dedication")
    with pytest.raises(errors.FriendLacksCard):
        play.copy(season, alice, bob, "harmony")
    assert make.held(season, alice) == {"copy": 1, "harmony": 1}


def test_special_cards_are_not_copied(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, "copy")
    make.deal(season, bob, "wild")
    with pytest.raises(errors.NotAFortune):
        play.copy(season, alice, bob, "wild")


def test_without_a_copy_card(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, bob, "harmony")
    make.deal(season, alice, "wild", "steal")
    with pytest.raises(errors.CardNotHeld):
        play.copy(season, alice, bob, "harmony")


def test_strangers_the_unknown_the_blocked_and_oneself_look_the_same(
    season: Campaign, alice: Player, bob: Player
) -> None:
    make.deal(season, alice, "copy", "harmony")
    stranger, unknown = PlayerFactory.create(), PlayerFactory.build(public_id=uuid.uuid4())
    make.deal(season, stranger, "harmony")
    friendships.block(by=bob.pk, player=alice.public_id)

    for other in (stranger, unknown, bob, alice):
        with pytest.raises(errors.FriendNotFound) as refused:
            play.copy(season, alice, other, "harmony")
        assert refused.value.facts == {}


def test_a_rule_may_forbid_it(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, "copy")
    make.deal(season, bob, "harmony")
    change_rules(season, specials=["wild"])
    with pytest.raises(errors.RuleForbids) as refused:
        play.copy(season, alice, bob, "harmony")
    assert refused.value.facts == {"role": "copy"}


def test_the_same_key_answers_again(season: Campaign, alice: Player, bob: Player, clock: Clock) -> None:
    make.deal(season, alice, "copy", "copy")
    make.deal(season, bob, "harmony", "dedication")
    first = play.copy(season, alice, bob, "harmony", key="k1")

    assert play.copy(season, alice, bob, "harmony", key="k1") == first
    with pytest.raises(ground.IdempotencyKeyReused):
        play.copy(season, alice, bob, "dedication", key="k1")
    clock.shift(timedelta(days=15))
    with pytest.raises(ground.CampaignFrozen):
        play.copy(season, alice, bob, "dedication")
    assert play.copy(season, alice, bob, "harmony", key="k1") == first
