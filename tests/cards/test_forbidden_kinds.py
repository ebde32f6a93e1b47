"""Special cards that the rules in force don't allow: they may be held, and don't change hands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Friendship, Player
from cards import errors
from cards.models import Trade
from fortunes import rulebooks
from fortunes.models import Campaign, Event, IdempotencyKey
from tests.cards.calling import post, problem
from tests.factories import aftermaths
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory
from tests.factories.fortunes import change_rules

pytestmark = pytest.mark.django_db

Verb = Callable[[Campaign, Player, Player], Any]

VERBS: dict[str, Verb] = {
    "give": lambda season, alice, bob: make.give(season, alice, bob, ["harmony", "steal"]),
    "ask": lambda season, alice, bob: play.request(season, alice, "steal", to=[bob]),
    "ask all": lambda season, alice, bob: play.request(season, alice, "harmony", "steal", everyone=True),
    "ask by link": lambda season, alice, bob: play.request(season, alice, "steal", link="qr"),
    "offer": lambda season, alice, bob: play.offer(season, alice, ["steal"], ["harmony"], to=[bob]),
    "swap for": lambda season, alice, bob: play.offer(season, alice, ["harmony"], ["steal"], to=[bob]),
    "leave by link": lambda season, alice, bob: play.link_gift(season, alice, "steal"),
}


@pytest.fixture(autouse=True)
def cards(season: Campaign, alice: Player, bob: Player) -> None:
    for player in (alice, bob):
        make.deal(season, player, "harmony", "steal", "wild")


@pytest.mark.parametrize("verb", VERBS)
def test_it_is_neither_given_nor_asked_for(season: Campaign, alice: Player, bob: Player, verb: str) -> None:
    with pytest.raises(errors.RuleForbids) as refused:
        VERBS[verb](season, alice, bob)
    assert refused.value.facts == {"role": "steal"}
    assert not Trade.objects.exists()
    assert not Event.objects.filter(player__in=[alice, bob]).exclude(type__startswith="friendship").exists()
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("verb", VERBS)
def test_where_it_is_allowed_it_is(verb: str) -> None:
    season = aftermaths.season_with_steals()
    alice, bob = PlayerFactory.create_batch(2)
    play.befriend(alice, bob)
    make.deal(season, alice, "harmony", "steal")
    VERBS[verb](season, alice, bob)


def test_what_is_allowed_is_traded_as_before(season: Campaign, alice: Player, bob: Player) -> None:
    make.give(season, alice, bob, ["wild"])
    assert make.held(season, bob)["wild"] == 2


def test_it_is_allowed_or_not_by_the_rules_in_force(season: Campaign, alice: Player, bob: Player) -> None:
    """This process believes in the former ones; the gate doesn't."""
    rulebooks.believed(season.pk)
    change_rules(season, specials=["steal"])
    make.give(season, alice, bob, ["steal"])
    change_rules(season, specials=[])
    with pytest.raises(errors.RuleForbids):
        make.give(season, bob, alice, ["steal"])


class TestProposedBefore:
    @pytest.fixture
    def season(self) -> Campaign:
        return aftermaths.season_with_steals()

    def test_nobody_accepts_it(self, season: Campaign, alice: Player, bob: Player) -> None:
        asked = play.request(season, alice, "steal", to=[bob]).trade.id
        swap = play.offer(season, alice, ["steal"], ["harmony"], to=[bob]).trade.id
        aftermaths.remove(season, "steal")
        for trade in (asked, swap):
            with pytest.raises(errors.RuleForbids) as refused:
                play.accept(trade, bob)
            assert refused.value.facts == {"role": "steal"}
        # A worker hasn't come by: both can still be closed by those whom they concern.
        play.decline(asked, bob)
        play.cancel(swap, alice)

    def test_who_follows_its_link_gets_nothing_and_makes_no_friend(self, season: Campaign, alice: Player) -> None:
        link = play.link_gift(season, alice, "steal").trade.link
        assert link
        aftermaths.remove(season, "steal")
        stranger = PlayerFactory.create()
        with pytest.raises(errors.RuleForbids):
            play.follow(link.code, stranger)
        assert not Friendship.objects.filter(player=stranger).exists()
        assert make.held(season, stranger) == {}

    def test_what_was_answered_before_is_answered_again(self, season: Campaign, alice: Player, bob: Player) -> None:
        given = make.give(season, alice, bob, ["steal"], key="gift")
        asked = play.request(season, alice, "steal", to=[bob], key="ask")
        accepted = play.accept(asked.trade.id, bob, key="yes")
        aftermaths.remove(season, "steal")
        assert make.give(season, alice, bob, ["steal"], key="gift") == given
        assert play.request(season, alice, "steal", to=[bob], key="ask") == asked
        assert play.accept(asked.trade.id, bob, key="yes") == accepted

    def test_who_is_asked_by_nobody_learns_nothing(self, season: Campaign, alice: Player, bob: Player) -> None:
        asked = play.request(season, alice, "steal", to=[bob]).trade.id
        aftermaths.remove(season, "steal")
        with pytest.raises(errors.TradeNotFound):
            play.accept(asked, PlayerFactory.create())


def test_the_problem_says_which(season: Campaign, alice: Player, bob: Player) -> None:
    body = {"type": "gift", "to": bob.public_id, "gives": ["steal"]}
    refused = post(alice, f"campaigns/{season.slug}/trades", body)
    assert problem(refused) == (409, "rule-forbids")
    assert refused.json()["role"] == "steal"
