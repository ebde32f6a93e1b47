"""Gifts under races on real PostgreSQL, each guard with a control that shows what happens without it."""

from __future__ import annotations

import random
from collections import Counter
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, OperationalError

from accounts.models import Player
from cards import answers, catalogue, errors, hands
from cards.models import Hand, Trade, Transfer
from fortunes.models import Campaign
from tests.concurrency.together import patiently, together
from tests.concurrency.variants import erase, meeting, without
from tests.factories import cards as make
from tests.factories.accounts import FriendshipFactory, PlayerFactory

pytestmark = pytest.mark.committed


@pytest.fixture
def season() -> Campaign:
    return make.SeasonFactory.create(rulebook={"quotas": make.PLENTY, "trading": {"received_per_day": 10_000}})


@pytest.fixture
def alice() -> Player:
    return PlayerFactory.create()


def befriend(*players: Player) -> None:
    for place, player in enumerate(players):
        for friend in players[place + 1 :]:
            FriendshipFactory.create(player=player, friend=friend)


def deal(campaign: Campaign, player: Player, cards: int) -> None:
    make.scans.redeem(campaign=campaign, scans=[make.scan(campaign, player) for _ in range(cards)])


def cards_of(campaign: Campaign, players: list[Player]) -> int:
    return sum(sum(hand.counts) for hand in Hand.objects.filter(campaign=campaign, player__in=players))


def only_card(campaign: Campaign, player: Player) -> str:
    return catalogue.of(campaign.pk).kinds[make.DrawFactory.create(campaign=campaign, player=player).kind]


def test_one_card_given_to_50_friends_at_once(season: Campaign, alice: Player) -> None:
    friends = PlayerFactory.create_batch(50)
    for friend in friends:
        FriendshipFactory.create(player=alice, friend=friend)
    card = only_card(season, alice)
    outcomes = together(*(partial(make.give, season, alice, friend, [card]) for friend in friends))

    kinds = Counter(type(outcome) for outcome in outcomes)
    assert kinds == {answers.TradeReceipt: 1, errors.CardNotHeld: 49}
    assert errors.CardNotHeld.status == 409
    assert Transfer.objects.filter(giver=alice).count() == 1


def test_control_without_the_lock_one_card_is_given_many_times(
    season: Campaign, alice: Player, owner_connection: psycopg.Connection
) -> None:
    friends = PlayerFactory.create_batch(12)
    for friend in friends:
        FriendshipFactory.create(player=alice, friend=friend)
    card = only_card(season, alice)
    # So that all twelve look at alice's hand together, and none comes late by making a hand first.
    hands.ensure(campaign_id=season.pk, players=[friend.pk for friend in friends])
    with (
        meeting(owner_connection, 12) as meet,
        # The pause is a statement of its own: beside a condition it may be made for every row of the table.
        without(
            owner_connection, "cards", "lock_hand", cut=" FOR NO KEY UPDATE",
            more={"RETURN hand;": f"PERFORM {meet}; RETURN hand;"},
        ),
    ):  # fmt: skip
        outcomes = together(*(partial(make.give, season, alice, friend, [card]) for friend in friends))
    given = Transfer.objects.filter(giver=alice).count()
    erase(season, owner_connection)

    assert given == [type(outcome) for outcome in outcomes].count(answers.TradeReceipt) > 1


def test_crossing_gifts_between_two_players_at_64_parallel(season: Campaign, alice: Player) -> None:
    bob = PlayerFactory.create()
    befriend(alice, bob)
    for player in (alice, bob):
        deal(season, player, 200)
    outcomes = cross(season, [alice, bob], threads=64, gifts=5)

    assert outcomes[answers.TradeReceipt] > 0
    assert set(outcomes) <= {answers.TradeReceipt, errors.CardNotHeld}
    assert cards_of(season, [alice, bob]) == 400


def test_gifts_among_8_players_at_random(season: Campaign) -> None:
    players = PlayerFactory.create_batch(8)
    befriend(*players)
    for player in players:
        deal(season, player, 50)
    outcomes = cross(season, players, threads=64, gifts=5)

    assert outcomes[answers.TradeReceipt] > 0
    assert set(outcomes) <= {answers.TradeReceipt, errors.CardNotHeld}
    assert cards_of(season, players) == 400


def cross(season: Campaign, players: list[Player], *, threads: int, gifts: int) -> Counter[Any]:
    """What came of gifts of random cards between random players, by type."""
    slugs = catalogue.of(season.pk).kinds

    def some(seed: int) -> list[Any]:
        dice = random.Random(seed)
        outcomes: list[Any] = []
        for _ in range(gifts):
            giver, receiver = dice.sample(players, 2)
            try:
                outcomes.append(patiently(partial(make.give, season, giver, receiver, [dice.choice(slugs)])))
            except errors.CardNotHeld as refusal:
                outcomes.append(refusal)
        return outcomes

    answered = together(*(partial(some, seed) for seed in range(threads)))
    return Counter(type(outcome) for given in answered for outcome in (given if isinstance(given, list) else [given]))


def test_control_crossing_gifts_deadlock_without_the_order_of_locks(
    season: Campaign, alice: Player, owner_connection: psycopg.Connection
) -> None:
    """Giver first, receiver second: two reasonable orders that meet."""
    bob = PlayerFactory.create()
    befriend(alice, bob)
    for player in (alice, bob):
        deal(season, player, 100)
    card = catalogue.of(season.pk).kinds[0]
    first = "    IF one < other THEN\n"
    second = "        second := cards_lock_hand(the_campaign, other);\n    ELSE\n"
    with (
        meeting(owner_connection, 2) as meet,
        # They meet between the two locks.
        without(
            owner_connection, "cards", "lock_pair", cut=first, put="    IF true THEN\n",
            more={second: f"        PERFORM {meet};\n{second}"},
        ),
    ):  # fmt: skip
        outcomes = together(
            partial(make.give, season, alice, bob, [card]), partial(make.give, season, bob, alice, [card])
        )

    failed = {
        getattr(outcome.__cause__, "sqlstate", None) for outcome in outcomes if isinstance(outcome, OperationalError)
    }
    assert failed & {"40P01", "55P03"}
    assert cards_of(season, [alice, bob]) == 200


def test_one_gift_sent_20_times_at_once_is_one_gift(season: Campaign, alice: Player) -> None:
    bob = PlayerFactory.create()
    befriend(alice, bob)
    deal(season, alice, 40)
    card = catalogue.of(season.pk).kinds[0]
    outcomes = together(*[partial(make.give, season, alice, bob, [card], key="k1")] * 20)

    assert len({outcome.trade.id for outcome in outcomes}) == 1
    assert Trade.objects.filter(proposer=alice).count() == 1


def test_control_without_the_look_at_its_key_a_duplicate_runs_into_the_constraint(
    season: Campaign, alice: Player, owner_connection: psycopg.Connection
) -> None:
    bob = PlayerFactory.create()
    befriend(alice, bob)
    deal(season, alice, 40)
    card = catalogue.of(season.pk).kinds[0]
    with without(owner_connection, "cards", "first_answer", cut=" AND k.key = the_key;", put=" AND false;"):
        outcomes = together(*[partial(make.give, season, alice, bob, [card], key="k1")] * 4)

    assert [type(outcome) for outcome in outcomes].count(IntegrityError) == 3
