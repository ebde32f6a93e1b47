"""Gifts between friends, one connection."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from accounts.actions import friendships
from accounts.models import Player
from cards import catalogue, errors
from cards.models import Hand, Trade, Transfer
from fortunes import errors as ground
from fortunes.models import Campaign, Event, IdempotencyKey, Membership
from tests.factories import cards as make
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def season() -> Campaign:
    return make.SeasonFactory.create()


@pytest.fixture
def card(season: Campaign, alice: Player) -> str:
    """The slug of a card that alice holds, once."""
    return catalogue.of(season.pk).kinds[make.DrawFactory.create(campaign=season, player=alice).kind]


def held(season: Campaign, player: Player) -> int:
    hand = Hand.objects.filter(campaign=season, player=player).first()
    return sum(hand.counts) if hand else 0


def test_a_gift_moves_the_card_and_tells_both_sides(season: Campaign, alice: Player, bob: Player, card: str) -> None:
    told_before = Event.objects.filter(player=bob).count()
    answer = make.give(season, alice, bob, [card])

    assert (held(season, alice), held(season, bob)) == (0, 1)
    assert answer.trade.state == "accepted"
    assert answer.hand.counts[card] == 0
    sent = Event.objects.filter(player=alice, type="gift.sent").get()
    received = Event.objects.filter(player=bob, type="gift.received").get()
    assert sent.data["trade"] == received.data["trade"] == str(answer.trade.id)
    assert received.seq == told_before + 1
    transfer = Transfer.objects.get(trade__public_id=answer.trade.id)
    assert (transfer.giver_id, transfer.receiver_id) == (alice.pk, bob.pk)


def test_the_same_key_answers_again_and_moves_nothing(season: Campaign, alice: Player, bob: Player, card: str) -> None:
    first = make.give(season, alice, bob, [card], key="k1")

    assert make.give(season, alice, bob, [card], key="k1") == first
    assert Trade.objects.filter(proposer=alice).count() == 1


def test_the_same_key_for_another_gift_is_refused(season: Campaign, alice: Player, bob: Player, card: str) -> None:
    make.give(season, alice, bob, [card], key="k1")

    with pytest.raises(ground.IdempotencyKeyReused):
        make.give(season, alice, bob, [card, card], key="k1")


def test_a_refusal_is_not_stored(season: Campaign, alice: Player, bob: Player, card: str) -> None:
    friendships.end(by=alice.pk, player=bob.public_id)
    with pytest.raises(errors.FriendNotFound):
        make.give(season, alice, bob, [card], key="k1")
    assert not IdempotencyKey.objects.filter(player=alice).exists()

    FriendshipFactory.create(player=alice, friend=bob)
    assert make.give(season, alice, bob, [card], key="k1").trade.state == "accepted"


def test_a_card_that_is_not_held_can_not_be_given(season: Campaign, alice: Player, bob: Player, card: str) -> None:
    with pytest.raises(errors.CardNotHeld):
        make.give(season, alice, bob, [card, card])
    other = next(slug for slug in catalogue.of(season.pk).kinds if slug != card)
    with pytest.raises(errors.CardNotHeld):
        make.give(season, alice, bob, [other])

    assert (held(season, alice), held(season, bob)) == (1, 0)


def test_strangers_the_unknown_and_who_blocked_me_look_the_same(
    season: Campaign, alice: Player, bob: Player, card: str
) -> None:
    stranger, unknown = PlayerFactory.create(), PlayerFactory.build(public_id=uuid.uuid4())
    friendships.block(by=bob.pk, player=alice.public_id)

    for other in (stranger, unknown, bob):
        with pytest.raises(errors.FriendNotFound) as refused:
            make.give(season, alice, other, [card])
        assert refused.value.facts == {}
    assert not Hand.objects.filter(player=stranger).exists()


def test_nobody_gives_to_oneself(season: Campaign, alice: Player, card: str) -> None:
    with pytest.raises(errors.TradeWithOneself):
        make.give(season, alice, alice, [card])


def test_a_kind_of_no_campaign_is_refused(season: Campaign, alice: Player, bob: Player) -> None:
    with pytest.raises(errors.KindUnknown) as refused:
        make.give(season, alice, bob, ["happiness"])
    assert refused.value.facts == {"kinds": ["happiness"]}


def test_nothing_is_given_after_the_deadline(
    season: Campaign, alice: Player, bob: Player, card: str, clock: Clock
) -> None:
    clock.shift(timedelta(days=15))

    with pytest.raises(ground.CampaignFrozen):
        make.give(season, alice, bob, [card])
    assert held(season, alice) == 1


def test_a_retry_after_the_deadline_still_gets_its_answer(
    season: Campaign, alice: Player, bob: Player, card: str, clock: Clock
) -> None:
    first = make.give(season, alice, bob, [card], key="k1")
    clock.shift(timedelta(days=15))

    assert make.give(season, alice, bob, [card], key="k1") == first


def test_a_refused_gift_makes_no_rows(season: Campaign, alice: Player, bob: Player, card: str, clock: Clock) -> None:
    other = next(slug for slug in catalogue.of(season.pk).kinds if slug != card)
    with pytest.raises(errors.CardNotHeld):
        make.give(season, alice, bob, [other])
    clock.shift(timedelta(days=15))
    with pytest.raises(ground.CampaignFrozen):
        make.give(season, bob, alice, [card])

    assert not Hand.objects.filter(player=bob).exists()
    assert not Membership.objects.filter(player=bob).exists()


def test_a_full_hand_refuses_gifts_and_scans(season: Campaign, alice: Player, bob: Player, card: str) -> None:
    make.DrawFactory(campaign=season, player=bob)
    Hand.objects.filter(player=bob).update(counts=[32_767] * 5)

    with pytest.raises(errors.HandFull):
        make.give(season, alice, bob, [card])
    assert isinstance(make.redeem(season, bob), errors.HandFull)
    assert make.redeem(season, alice).hand.version == 2
