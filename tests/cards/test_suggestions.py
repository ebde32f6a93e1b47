"""Suggestions: swaps with friends from which both would get what they miss, each as it could be proposed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts import tokens
from accounts.actions import friendships
from accounts.models import Player
from cards import suggesting
from cards.actions import comparing
from cards.suggesting import FULL, Cards, Suggestion
from fortunes.models import Campaign
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

KINDS = 6
WEIGHTS = (30, 10, 20, 5, 20, 15)

counts = st.lists(st.integers(0, 3), min_size=KINDS, max_size=KINDS)
hands = st.builds(Cards, counts, counts)
wanted = st.lists(st.integers(0, KINDS - 1), min_size=1, max_size=KINDS, unique=True)


class TestMatching:
    """The pure part."""

    @given(hands, hands, wanted)
    def test_both_can_and_both_gain(self, mine: Cards, theirs: Cards, wanted: list[int]) -> None:
        for gives, takes in suggesting.swaps(mine, theirs, wanted=wanted):
            assert {gives, takes} <= set(wanted)
            # Escrow can't be given, and one stays.
            assert mine.counts[gives] >= 2 and theirs.counts[takes] >= 2
            assert mine.counts[takes] + mine.escrow[takes] == 0
            assert theirs.counts[gives] + theirs.escrow[gives] == 0

    @given(hands, hands, wanted)
    def test_the_friend_is_suggested_the_same(self, mine: Cards, theirs: Cards, wanted: list[int]) -> None:
        there = suggesting.swaps(theirs, mine, wanted=reversed(wanted))
        assert suggesting.swaps(mine, theirs, wanted=wanted) == [(takes, gives) for gives, takes in there]

    @given(hands, hands, wanted)
    def test_all_of_one_friend_can_be_done(self, mine: Cards, theirs: Cards, wanted: list[int]) -> None:
        swaps = suggesting.swaps(mine, theirs, wanted=wanted)
        moved = [kind for swap in swaps for kind in swap]
        assert len(moved) == len(set(moved))

    @given(hands, hands, wanted)
    def test_none_is_forgotten(self, mine: Cards, theirs: Cards, wanted: list[int]) -> None:
        gives = sum(mine.spares(kind) and theirs.misses(kind) for kind in wanted)
        takes = sum(theirs.spares(kind) and mine.misses(kind) for kind in wanted)
        assert len(suggesting.swaps(mine, theirs, wanted=wanted)) == min(gives, takes)

    @given(hands, st.dictionaries(st.integers(1, 9), hands), wanted, st.randoms())
    def test_the_order_is_always_the_same(
        self, mine: Cards, friends: dict[int, Cards], wanted: list[int], dice: Any
    ) -> None:
        shuffled = list(friends.items())
        dice.shuffle(shuffled)
        found = suggesting.suggest(mine, friends, wanted=wanted, weights=WEIGHTS)
        assert found == suggesting.suggest(mine, dict(shuffled), wanted=wanted[::-1], weights=WEIGHTS)
        rarity = [WEIGHTS[one.takes] for one in found]
        assert rarity == sorted(rarity)
        assert {one.friend for one in found} <= friends.keys()

    def test_a_full_hand_takes_nothing(self) -> None:
        mine, theirs = Cards([2, 0, FULL - 1], [0, 0, 0]), Cards([0, 2, 0], [0, 0, 0])
        assert suggesting.swaps(mine, theirs, wanted=[0, 1]) == [(0, 1)]
        for full in (Cards([2, 0, FULL], [0, 0, 0]), Cards([2, 0, FULL - 1], [0, 0, 1])):
            assert suggesting.swaps(full, theirs, wanted=[0, 1]) == []
            assert suggesting.swaps(theirs, full, wanted=[0, 1]) == []

    def test_what_is_suggested(self) -> None:
        friends = {3: Cards([0, 2, 2], [0, 0, 0]), 1: Cards([0, 3, 0], [0, 0, 0]), 2: Cards([1, 3, 0], [0, 0, 0])}
        found = suggesting.suggest(Cards([2, 0, 0], [0, 0, 0]), friends, wanted=[0, 1, 2], weights=[1, 5, 2])
        # The other double of friend 3 has nothing in return.
        assert found == [Suggestion(1, gives=0, takes=1), Suggestion(3, gives=0, takes=1)]


@pytest.mark.django_db
class TestAmongFriends:
    @pytest.fixture
    def season(self) -> Campaign:
        return make.TradingSeasonFactory.create()

    @pytest.fixture
    def alice(self, season: Campaign) -> Player:
        """Has harmony twice."""
        alice = PlayerFactory.create()
        make.deal(season, alice, "harmony", "harmony")
        return alice

    @pytest.fixture
    def bob(self, season: Campaign, alice: Player) -> Player:
        """Alice's friend, has prosperity twice."""
        bob = PlayerFactory.create()
        play.befriend(alice, bob)
        make.deal(season, bob, "prosperity", "prosperity")
        return bob

    def test_both_are_suggested_the_swap(self, season: Campaign, alice: Player, bob: Player) -> None:
        assert suggested(season, alice) == [(bob.public_id, ["harmony"], ["prosperity"])]
        assert suggested(season, bob) == [(alice.public_id, ["prosperity"], ["harmony"])]

    def test_one_tap_proposes_it(self, season: Campaign, alice: Player, bob: Player) -> None:
        """The item is the body."""
        headers = {"Authorization": f"Bearer {tokens.issue(alice).token}", "Idempotency-Key": "tap"}
        address = f"/api/v1/campaigns/{season.slug}"
        (item,) = Client().get(f"{address}/suggestions", headers=headers).json()["items"]
        response = Client().post(
            f"{address}/trades", json.dumps(item), content_type="application/json", headers=headers
        )
        assert response.status_code == 201, response.content
        play.accept(response.json()["trade"]["id"], bob)
        assert make.held(season, alice) == make.held(season, bob) == {"harmony": 1, "prosperity": 1}
        assert suggested(season, alice) == suggested(season, bob) == []

    def test_what_was_proposed_is_not_suggested_again(self, season: Campaign, alice: Player, bob: Player) -> None:
        offer = play.offer(season, alice, ["harmony"], ["prosperity"], to=[bob])
        assert suggested(season, alice) == []
        play.cancel(offer.trade.id, alice)
        assert suggested(season, alice) == [(bob.public_id, ["harmony"], ["prosperity"])]

    def test_an_offer_that_has_expired_is_none(
        self, season: Campaign, alice: Player, bob: Player, clock: Clock
    ) -> None:
        play.offer(season, alice, ["harmony"], ["prosperity"], to=[bob])
        clock.shift(timedelta(hours=25))
        assert len(suggested(season, alice)) == 1

    def test_a_card_in_escrow_is_neither_missed_nor_spare(self, season: Campaign, alice: Player, bob: Player) -> None:
        gift = play.link_gift(season, alice, "harmony")
        assert suggested(season, alice) == suggested(season, bob) == []
        play.cancel(gift.trade.id, alice)
        make.deal(season, alice, "prosperity")
        play.link_gift(season, alice, "prosperity")
        # It still counts for her set, so she doesn't miss it.
        assert suggested(season, alice) == suggested(season, bob) == []

    def test_special_cards_are_no_part_of_it(self, season: Campaign, alice: Player, bob: Player) -> None:
        make.deal(season, alice, "wild", "wild")
        make.deal(season, bob, "copy", "copy")
        assert len(suggested(season, alice)) == 1

    @pytest.mark.parametrize("verb", [friendships.end, friendships.block])
    def test_only_friends(self, season: Campaign, alice: Player, bob: Player, verb: Any) -> None:
        verb(by=bob.pk, player=alice.public_id)
        assert suggested(season, alice) == suggested(season, bob) == []

    def test_nobody_who_was_shut_out(self, season: Campaign, alice: Player, bob: Player) -> None:
        Player.objects.filter(pk=bob.pk).update(is_active=False)
        assert suggested(season, alice) == []

    def test_nothing_that_the_limits_forbid(self, alice: Player, clock: Clock) -> None:
        rules = {"trading": {"open_trades": 1, "cooling_h": 24}}
        season = make.TradingSeasonFactory.create(rules=rules)
        bob = PlayerFactory.create()
        play.befriend(alice, bob)
        make.deal(season, alice, "harmony", "harmony")
        make.deal(season, bob, "prosperity", "prosperity")
        assert suggested(season, alice) == suggested(season, bob) == []
        clock.shift(timedelta(hours=25))
        assert len(suggested(season, alice)) == len(suggested(season, bob)) == 1
        play.request(season, alice, "dedication", everyone=True)
        assert suggested(season, alice) == []
        assert len(suggested(season, bob)) == 1

    def test_nothing_to_who_has_been_given_enough_today(self, alice: Player, clock: Clock) -> None:
        season = make.TradingSeasonFactory.create(rules={"trading": {"received_per_day": 1}})
        bob = PlayerFactory.create()
        play.befriend(alice, bob)
        make.deal(season, alice, "harmony", "harmony")
        make.deal(season, bob, *["prosperity"] * 3)
        assert len(suggested(season, alice)) == 1
        make.deal(season, alice, "dedication")
        make.give(season, alice, bob, ["dedication"])
        assert suggested(season, alice) == suggested(season, bob) == []
        clock.shift(timedelta(hours=24))
        assert len(suggested(season, alice)) == 1

    def test_nothing_after_the_deadline(self, season: Campaign, alice: Player, bob: Player, clock: Clock) -> None:
        clock.move_to(season.closes_at)
        assert suggested(season, alice) == suggested(season, bob) == []

    def test_who_has_no_hand_yet(self, season: Campaign, bob: Player) -> None:
        newcomer = PlayerFactory.create()
        play.befriend(newcomer, bob)
        assert suggested(season, newcomer) == []
        assert len(suggested(season, bob)) == 1

    def test_the_hands_of_another_season_are_not_looked_at(self, alice: Player, bob: Player) -> None:
        assert suggested(make.TradingSeasonFactory.create(), alice) == []

    def test_no_more_than_fifty(self, season: Campaign, alice: Player) -> None:
        for _ in range(comparing.MOST + 1):
            friend = PlayerFactory.create()
            play.befriend(alice, friend)
            make.deal(season, friend, "prosperity", "prosperity")
        assert len(suggested(season, alice)) == comparing.MOST


def suggested(season: Campaign, player: Player) -> list[tuple[Any, list[str], list[str]]]:
    found = comparing.suggestions(campaign=season, player_id=player.pk).items
    assert {item.type for item in found} <= {"swap"}
    return [(item.to, item.gives, item.takes) for item in found]
