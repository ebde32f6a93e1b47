"""Swaps: cards for cards, both or neither, judged when somebody accepts. One connection."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Player
from cards import errors
from cards.models import Hand, Trade, Transfer
from fortunes import errors as ground
from fortunes.models import Campaign, Event
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(season: Campaign) -> Player:
    """Has harmony twice."""
    alice = PlayerFactory.create()
    make.deal(season, alice, "harmony", "harmony")
    return alice


@pytest.fixture
def bob(season: Campaign, alice: Player) -> Player:
    """Alice's friend, has prosperity and dedication."""
    bob = PlayerFactory.create()
    play.befriend(alice, bob)
    make.deal(season, bob, "prosperity", "dedication")
    return bob


def test_both_sides_change_hands(season: Campaign, alice: Player, bob: Player) -> None:
    offered = play.offer(season, alice, ["harmony"], ["prosperity", "dedication"], to=[bob])
    assert (offered.trade.state, offered.hand.counts["harmony"]) == ("open", 2)
    # Nothing is put aside for a swap.
    assert set(offered.hand.escrow.values()) == {0}

    accepted = play.accept(offered.trade.id, bob)
    assert (accepted.trade.gives, accepted.trade.takes) == (["harmony"], ["prosperity", "dedication"])
    assert make.held(season, alice) == {"harmony": 1, "prosperity": 1, "dedication": 1}
    assert make.held(season, bob) == {"harmony": 1}
    moved = Transfer.objects.filter(trade__public_id=offered.trade.id).order_by("position")
    assert [(row.giver_id, row.receiver_id) for row in moved] == [
        (alice.pk, bob.pk),
        (bob.pk, alice.pk),
        (bob.pk, alice.pk),
    ]
    for player in (alice, bob):
        told = Event.objects.get(player=player, type="trade.accepted").data
        assert told["hand_version"] == Hand.objects.get(player=player).version
        assert (told["gives"], told["takes"]) == (["harmony"], ["prosperity", "dedication"])


def test_nobody_offers_what_they_have_not(season: Campaign, alice: Player, bob: Player) -> None:
    for gives in (["friendliness"], ["harmony"] * 3):
        with pytest.raises(errors.CardNotHeld):
            play.offer(season, alice, gives, ["prosperity"], to=[bob])
    newcomer = PlayerFactory.create()
    play.befriend(newcomer, bob)
    with pytest.raises(errors.CardNotHeld):
        play.offer(season, newcomer, ["harmony"], ["prosperity"], to=[bob])
    assert not Hand.objects.filter(player=newcomer).exists()


def test_who_lacks_one_of_the_cards_swaps_none(season: Campaign, alice: Player, bob: Player) -> None:
    offered = play.offer(season, alice, ["harmony"], ["prosperity", "friendliness"], to=[bob])
    before = make.held(season, bob)
    with pytest.raises(errors.CardNotHeld):
        play.accept(offered.trade.id, bob)
    assert make.held(season, bob) == before
    assert Trade.objects.get(public_id=offered.trade.id).state == "open"


def test_an_offer_whose_cards_are_gone_is_not_covered(season: Campaign, alice: Player, bob: Player) -> None:
    offered = play.offer(season, alice, ["harmony", "harmony"], ["prosperity"], to=[bob])
    make.give(season, alice, bob, ["harmony"])
    with pytest.raises(errors.OfferNotCovered):
        play.accept(offered.trade.id, bob)

    # It waits for the card to come back.
    make.give(season, bob, alice, ["harmony"])
    assert play.accept(offered.trade.id, bob).trade.state == "accepted"


def test_one_card_can_be_offered_twice_and_is_swapped_once(season: Campaign, alice: Player, bob: Player) -> None:
    charlie = PlayerFactory.create()
    play.befriend(alice, charlie)
    make.deal(season, charlie, "prosperity")
    one = play.offer(season, alice, ["harmony", "harmony"], ["prosperity"], to=[bob]).trade
    other = play.offer(season, alice, ["harmony", "harmony"], ["prosperity"], to=[charlie]).trade
    play.accept(one.id, bob)
    with pytest.raises(errors.OfferNotCovered):
        play.accept(other.id, charlie)


def test_of_all_friends_the_first_swaps(season: Campaign, alice: Player, bob: Player) -> None:
    charlie = PlayerFactory.create()
    play.befriend(alice, charlie)
    make.deal(season, charlie, "prosperity")
    offered = play.offer(season, alice, ["harmony"], ["prosperity"], everyone=True).trade
    assert play.accept(offered.id, charlie).trade.recipient == charlie.public_id
    with pytest.raises(errors.TradeAlreadyClosed):
        play.accept(offered.id, bob)
    assert make.held(season, bob) == {"prosperity": 1, "dedication": 1}


def test_a_swap_of_a_kind_for_itself_moves_both_cards(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, bob, "harmony")
    offered = play.offer(season, alice, ["harmony"], ["harmony"], to=[bob]).trade
    play.accept(offered.id, bob)
    assert (make.held(season, alice)["harmony"], make.held(season, bob)["harmony"]) == (2, 1)
    assert Transfer.objects.filter(trade__public_id=offered.id).count() == 2


def test_a_full_hand_refuses_either_way(season: Campaign, alice: Player, bob: Player) -> None:
    offered = play.offer(season, alice, ["harmony"], ["prosperity"], to=[bob]).trade
    counts = Hand.objects.get(player=bob).counts
    Hand.objects.filter(player=bob).update(counts=[32_767 if count else 0 for count in counts])
    with pytest.raises(errors.HandFull):
        play.accept(offered.id, bob)
    Hand.objects.filter(player=bob).update(counts=counts)
    Hand.objects.filter(player=alice).update(counts=[32_767] * len(counts))
    with pytest.raises(errors.HandFull):
        play.accept(offered.id, bob)
    Hand.objects.filter(player=alice).update(counts=[0, 0, 2, *[0] * (len(counts) - 3)])


def test_nothing_is_swapped_after_the_deadline(season: Campaign, alice: Player, bob: Player, clock: Clock) -> None:
    offered = play.offer(season, alice, ["harmony"], ["prosperity"], to=[bob], key="k1")
    clock.shift(timedelta(days=15))

    for refused in (
        lambda: play.accept(offered.trade.id, bob),
        lambda: play.decline(offered.trade.id, bob),
        lambda: play.cancel(offered.trade.id, alice),
        lambda: play.offer(season, alice, ["harmony"], ["prosperity"], to=[bob]),
    ):
        with pytest.raises(ground.CampaignFrozen):
            refused()
    assert play.offer(season, alice, ["harmony"], ["prosperity"], to=[bob], key="k1") == offered
    assert Trade.objects.get(public_id=offered.trade.id).state == "open"
