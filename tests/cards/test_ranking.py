"""The ranking among friends: by distinct kinds, then cards, then since when the set is complete."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.actions import friendships
from accounts.models import Player
from cards import catalogue, ranking
from cards.actions import comparing, scans
from cards.answers import Ranked
from cards.models import Hand
from cards.ranking import Standing
from fortunes import rulebooks
from fortunes.answers import instant
from fortunes.models import Campaign, Rulebook
from tests.concurrency.together import together
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

FORTUNES = ("patriotism", "prosperity", "harmony", "friendliness", "dedication")
BEGIN = datetime(2026, 1, 20, tzinfo=UTC)

instants = st.none() | st.integers(0, 3).map(lambda hours: BEGIN + timedelta(hours=hours))
standings = st.builds(Standing, st.uuids(), st.integers(0, 5), st.integers(0, 9), instants)


class TestOrder:
    """The pure part."""

    @given(st.lists(standings, unique_by=lambda one: one.player), st.randoms())
    def test_it_is_total_and_always_the_same(self, given: list[Standing], dice: Any) -> None:
        ranked = ranking.rank(given)
        shuffled = list(given)
        dice.shuffle(shuffled)
        assert ranking.rank(shuffled) == ranked
        assert {one.player for _, one in ranked} == {one.player for one in given}

    @given(st.lists(standings, unique_by=lambda one: one.player))
    def test_a_place_says_how_many_are_ahead(self, given: list[Standing]) -> None:
        for place, one in ranking.rank(given):
            assert place == 1 + sum(is_ahead(other, one) for other in given)

    def test_a_hand_by_hand(self) -> None:
        one = ranking.standing(UUID(int=1), counts=[2, 0, 0, 4], escrow=[0, 1, 0, 1], full_set=[0, 1, 2], since=None)
        assert one == Standing(UUID(int=1), kinds=2, cards=8, complete_since=None)


def is_ahead(other: Standing, one: Standing) -> bool:
    """As the rules of the ranking say it in words."""
    if other.kinds != one.kinds:
        return other.kinds > one.kinds
    if other.cards != one.cards:
        return other.cards > one.cards
    if other.complete_since is None or one.complete_since is None:
        return other.complete_since is not None and one.complete_since is None
    return other.complete_since < one.complete_since


@pytest.fixture
def season(request: pytest.FixtureRequest) -> Campaign:
    request.getfixturevalue("committed_db" if request.node.get_closest_marker("committed") else "db")
    return make.TradingSeasonFactory.create()


@pytest.fixture
def people(season: Campaign) -> list[Player]:
    """Four friends of each other."""
    people = PlayerFactory.create_batch(4)
    play.befriend(*people)
    return people


def ranked(season: Campaign, player: Player) -> list[Ranked]:
    return comparing.standings(campaign=season, player_id=player.pk).items


def places(season: Campaign, player: Player, people: Sequence[Player]) -> list[tuple[int, int]]:
    """The places and who has them, by their index."""
    indices = {one.public_id: index for index, one in enumerate(people)}
    return [(row.place, indices[row.player]) for row in ranked(season, player)]


class TestAmongFriends:
    def test_kinds_then_cards_then_time(self, season: Campaign, people: list[Player]) -> None:
        make.deal(season, people[0], *FORTUNES)
        make.deal(season, people[1], *FORTUNES)
        make.deal(season, people[2], *FORTUNES, "harmony")
        make.deal(season, people[3], *["harmony"] * 20)
        for player in people:
            assert places(season, player, people) == [(1, 2), (2, 0), (3, 1), (4, 3)]
        first, second, third, last = ranked(season, people[0])
        assert (first.kinds, first.cards, last.kinds, last.cards) == (5, 6, 1, 20)
        assert second.complete_since and third.complete_since and second.complete_since < third.complete_since
        assert (second.player, second.nickname) == (people[0].public_id, people[0].nickname)
        assert last.complete_since is None

    def test_equals_share_a_place(self, season: Campaign, people: list[Player]) -> None:
        for player in people[:3]:
            make.deal(season, player, "harmony")
        make.deal(season, people[3], "harmony", "harmony")
        rows = ranked(season, people[0])
        assert [row.place for row in rows] == [1, 2, 2, 2]
        assert [row.player for row in rows[1:]] == sorted(player.public_id for player in people[:3])

    def test_special_cards_are_cards_and_no_kinds_of_the_set(self, season: Campaign, people: list[Player]) -> None:
        make.deal(season, people[0], "wild", "copy")
        make.deal(season, people[1], "harmony")
        assert [(row.kinds, row.cards) for row in ranked(season, people[0])] == [(1, 1), (0, 2)]

    def test_who_does_not_play_is_left_out_except_oneself(self, season: Campaign, people: list[Player]) -> None:
        make.deal(season, people[1], "harmony")
        assert places(season, people[0], people) == [(1, 1), (2, 0)]
        assert places(season, people[1], people) == [(1, 1)]

    @pytest.mark.parametrize("verb", [friendships.end, friendships.block])
    def test_only_friends(self, season: Campaign, people: list[Player], verb: Any) -> None:
        stranger = PlayerFactory.create()
        for player in (*people, stranger):
            make.deal(season, player, "harmony")
        verb(by=people[1].pk, player=people[0].public_id)
        Player.objects.filter(pk=people[2].pk).update(is_active=False)
        assert {row.player for row in ranked(season, people[0])} == {people[0].public_id, people[3].public_id}
        assert {row.player for row in ranked(season, stranger)} == {stranger.public_id}

    def test_what_is_in_escrow_is_still_the_givers(self, season: Campaign, people: list[Player]) -> None:
        make.deal(season, people[0], *FORTUNES)
        (before,) = ranked(season, people[0])
        play.link_gift(season, people[0], "harmony")
        assert ranked(season, people[0]) == [before]


class TestCompletion:
    """`completed_at` is since when the set is complete, through whatever completed it."""

    def test_by_a_scan_and_kept(self, season: Campaign, people: list[Player], clock: Clock) -> None:
        alice = people[0]
        make.deal(season, alice, *FORTUNES[1:])
        since = completed(season, alice)
        assert since is None
        while since is None:
            drawn = make.redeem(season, alice)
            since = completed(season, alice)
            # The answer says the same as the date.
            assert drawn.complete == (since is not None)
        assert instant(since) == drawn.draw.drawn_at
        clock.shift(timedelta(hours=1))
        make.redeem(season, alice)
        assert completed(season, alice) == since

    def test_in_a_batch_each_has_their_own(self, season: Campaign, people: list[Player]) -> None:
        """One statement for all: the date of one is not that of another."""
        make.deal(season, people[0], *FORTUNES)
        make.deal(season, people[1], "harmony")
        before = completed(season, people[0])
        scans.redeem(campaign=season, scans=[make.scan(season, player) for player in people])
        assert completed(season, people[0]) == before
        assert [completed(season, player) for player in people[1:]] == [None] * 3

    def test_lost_by_a_gift_and_won_back(self, season: Campaign, people: list[Player], clock: Clock) -> None:
        alice, bob = people[:2]
        make.deal(season, alice, *FORTUNES)
        make.deal(season, bob, *FORTUNES[1:])
        first = completed(season, alice)
        make.give(season, alice, bob, ["patriotism"])
        assert (completed(season, alice), completed(season, bob) is not None) == (None, True)
        clock.shift(timedelta(hours=1))
        make.give(season, bob, alice, ["patriotism"])
        again = completed(season, alice)
        assert completed(season, bob) is None
        assert first and again and again > first + timedelta(minutes=59)

    def test_wild_cards_fill_in_where_the_rules_say_so(self, people: list[Player]) -> None:
        season = make.TradingSeasonFactory.create(rules={"wilds_fill": True})
        alice = people[0]
        make.deal(season, alice, *FORTUNES[2:], "wild")
        while len(make.held(season, alice).keys() & set(FORTUNES)) < 4:
            assert completed(season, alice) is None
            make.redeem(season, alice)
        assert completed(season, alice) is not None

    def test_a_rule_that_changes_what_is_complete(self, season: Campaign, people: list[Player]) -> None:
        """The hand is dated by the rule of its last change; the ranking shows no date that doesn't hold any more."""
        alice = people[0]
        make.deal(season, alice, *FORTUNES[:4], "wild")
        rules = Rulebook.objects.get(campaign=season).rules
        Rulebook.objects.create(campaign=season, version=2, rules={**rules, "wilds_fill": True}, reason="vote")
        rulebooks.forget(season.pk)
        (row,) = ranked(season, alice)
        assert (row.kinds, row.complete_since) == (4, None)
        make.redeem(season, alice)
        assert completed(season, alice) is not None
        Rulebook.objects.create(campaign=season, version=3, rules=rules, reason="vote")
        rulebooks.forget(season.pk)
        (row,) = ranked(season, alice)
        assert (row.complete_since is None) == (row.kinds < 5)


def completed(season: Campaign, player: Player) -> datetime | None:
    hand = Hand.objects.filter(campaign=season, player=player).first()
    return hand.completed_at if hand else None


@pytest.mark.committed
class TestUnderLoad:
    """While cards change hands each of them is in one place in every ranking."""

    def test_cards_are_conserved_in_every_reading(self, season: Campaign, people: list[Player]) -> None:
        make.deal(season, people[0], *["harmony"] * 30)

        def trade() -> None:
            for number in range(30):
                make.give(season, people[number % 4], people[(number + 1) % 4], ["harmony"])

        def read() -> list[int]:
            return [sum(row.cards for row in ranked(season, people[3])) for _ in range(60)]

        _, *sums = together(trade, read, read)
        assert {total for reading in sums for total in reading} == {30}

    def test_control_hand_by_hand_a_card_is_seen_twice(self, season: Campaign, people: list[Player]) -> None:
        make.deal(season, people[0], "harmony")
        make.deal(season, people[1], "harmony")
        harmony = catalogue.of(season.pk).kinds.index("harmony")
        total = 0
        for place, player in enumerate(people[:2]):
            total += Hand.objects.get(campaign=season, player=player).counts[harmony]
            if place == 0:
                make.give(season, people[0], people[1], ["harmony"])
        assert total == 3
