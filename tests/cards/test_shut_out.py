"""Players who were shut out: their cards stay where they are, whatever was open before."""

from __future__ import annotations

import pytest

from accounts.models import Player
from cards import errors
from cards.models import Addressee, Trade
from fortunes.models import Campaign
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def season() -> Campaign:
    return make.TradingSeasonFactory.create(rules={"specials": ["wild", "steal", "copy"]})


@pytest.fixture
def farm(season: Campaign, alice: Player) -> Player:
    """A friend of Alice's with cards."""
    farm = PlayerFactory.create()
    play.befriend(alice, farm)
    make.deal(season, farm, "dedication", "dedication")
    make.deal(season, alice, "harmony", "harmony", "steal", "copy")
    return farm


def shut_out(player: Player) -> None:
    Player.objects.filter(pk=player.pk).update(is_active=False)


def test_what_they_have_offered_is_accepted_by_nobody(season: Campaign, alice: Player, farm: Player) -> None:
    """A farm's cards would else be fetched after its ban, swapped for worthless ones as agreed before."""
    offers = [
        play.offer(season, farm, ["dedication"], ["harmony"], to=[alice]),
        play.offer(season, farm, ["dedication"], ["harmony"], everyone=True),
        play.request(season, farm, "harmony", to=[alice]),
    ]
    shut_out(farm)
    for offer in offers:
        with pytest.raises(errors.TradeNotFound):
            play.accept(offer.trade.id, alice)
    assert make.held(season, farm) == {"dedication": 2}
    play.decline(offers[0].trade.id, alice)

    Player.objects.filter(pk=farm.pk).update(is_active=True)
    play.accept(offers[1].trade.id, alice)


def test_nobody_gives_to_them_or_takes_from_them(season: Campaign, alice: Player, farm: Player) -> None:
    shut_out(farm)
    for act in (
        lambda: make.give(season, alice, farm, ["harmony"]),
        lambda: play.request(season, alice, "dedication", to=[farm]),
        lambda: play.steal(season, alice, farm, "dedication"),
        lambda: play.copy(season, alice, farm, "dedication"),
    ):
        with pytest.raises(errors.FriendNotFound):
            act()
    assert make.held(season, farm) == {"dedication": 2}


def test_all_friends_are_those_who_can_answer(season: Campaign, alice: Player, farm: Player) -> None:
    """Else a trade is never declined by all."""
    other = PlayerFactory.create()
    play.befriend(alice, other)
    shut_out(farm)
    asked = play.request(season, alice, "dedication", everyone=True).trade
    assert list(Addressee.objects.values_list("player", flat=True)) == [other.pk]
    play.decline(asked.id, other)
    assert Trade.objects.get(public_id=asked.id).state == "declined"


def test_what_was_given_before_is_answered_again(season: Campaign, alice: Player, farm: Player) -> None:
    first = make.give(season, alice, farm, ["harmony"], key="k")
    shut_out(farm)
    assert make.give(season, alice, farm, ["harmony"], key="k") == first
