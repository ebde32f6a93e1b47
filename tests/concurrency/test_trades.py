"""Requests, swaps and links under races on real PostgreSQL, each guard with a control that shows what it prevents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import IntegrityError

from accounts.models import Friendship, Player
from cards import answers, errors, hands
from cards.actions import trades as verbs
from cards.models import Hand, Trade, Transfer
from fortunes.models import Campaign, Event
from tests.concurrency.together import PATIENCE_S, together, until
from tests.concurrency.trading import (
    ACCEPTED,
    all_judged_first,
    friends_of,
    state,
    types,
    unlocked_hands,
    violations,
)  # fmt: skip
from tests.concurrency.variants import erase, holding, meeting, without
from tests.factories import cards as make
from tests.factories import trades
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.committed

OUTCOMES = {
    answers.TradeReceipt, errors.TradeAlreadyClosed, errors.TradeExpired, errors.TradeNotFound, errors.CardNotHeld,
    errors.OfferNotCovered,
}  # fmt: skip


@pytest.fixture
def season() -> Campaign:
    return make.TradingSeasonFactory.create()


@pytest.fixture
def alice() -> Player:
    return PlayerFactory.create()


@pytest.fixture
def bob(alice: Player) -> Player:
    bob = PlayerFactory.create()
    FriendshipFactory.create(player=alice, friend=bob)
    return bob


# --- one trade, many who act


def asked_by_alice(season: Campaign, alice: Player, count: int) -> tuple[UUID, list[Player]]:
    """A request of alice to all her friends, each of whom could give the card."""
    friends = friends_of(alice, count)
    for friend in friends:
        make.deal(season, friend, "harmony")
    return trades.request(season, alice, "harmony", everyone=True).trade.id, friends


def test_a_request_to_all_friends_is_accepted_by_30_at_once(season: Campaign, alice: Player) -> None:
    trade, friends = asked_by_alice(season, alice, 30)
    outcomes = together(*(partial(trades.accept, trade, friend) for friend in friends))

    assert types(outcomes) == {answers.TradeReceipt: 1, errors.TradeAlreadyClosed: 29}
    assert make.held(season, alice) == {"harmony": 1}
    assert Transfer.objects.filter(receiver=alice).count() == 1
    told = Event.objects.filter(player__in=friends, campaign=season).values_list("type", flat=True)
    assert Counter(told) == {"trade.proposed": 30, "trade.accepted": 1, "trade.closed": 29}
    assert violations() == set()


def test_control_without_the_lock_two_accept_one_request(
    season: Campaign, alice: Player, owner_connection: psycopg.Connection
) -> None:
    """Both find it open. That each of its cards moves once is then left to a constraint."""
    trade, friends = asked_by_alice(season, alice, 2)
    with all_judged_first(owner_connection, 2, accept=ACCEPTED):
        outcomes = together(*(partial(trades.accept, trade, friend) for friend in friends))

    assert types(outcomes) == {answers.TradeReceipt: 1, IntegrityError: 1}


def test_control_without_lock_and_constraint_a_card_is_doubled(
    season: Campaign, alice: Player, owner_connection: psycopg.Connection
) -> None:
    trade, friends = asked_by_alice(season, alice, 2)
    owner_connection.execute("ALTER TABLE cards_transfer DROP CONSTRAINT transfer_once")
    try:
        with all_judged_first(owner_connection, 2, accept=ACCEPTED):
            outcomes = together(*(partial(trades.accept, trade, friend) for friend in friends))
        found = violations()
    finally:
        erase(season, owner_connection)
        owner_connection.execute("ALTER TABLE cards_transfer ADD CONSTRAINT transfer_once UNIQUE (trade_id, position)")

    assert types(outcomes) == {answers.TradeReceipt: 2}
    assert found >= {"trades_moved_their_cards", "both_sides_were_told"}


def test_one_acceptance_sent_20_times_at_once_is_one(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, bob, *["harmony"] * 3)
    trade = trades.request(season, alice, "harmony", to=[bob]).trade.id
    outcomes = together(*[partial(trades.accept, trade, bob, key="k1")] * 20)

    assert len({str(outcome) for outcome in outcomes}) == 1
    assert make.held(season, bob) == {"harmony": 2}


def test_control_without_the_look_at_its_key_a_duplicate_finds_the_trade_closed(
    season: Campaign, alice: Player, bob: Player, owner_connection: psycopg.Connection
) -> None:
    make.deal(season, bob, "harmony")
    trade = trades.request(season, alice, "harmony", to=[bob]).trade.id
    look = "     WHERE k.player_id = player AND"
    with without(
        owner_connection, "cards", "first_answer", cut=look, put="     WHERE false AND k.player_id = player AND"
    ):
        outcomes = together(*[partial(trades.accept, trade, bob, key="k1")] * 4)

    assert types(outcomes) == {answers.TradeReceipt: 1, errors.TradeAlreadyClosed: 3}


def test_a_link_claimed_by_50_at_once(season: Campaign, alice: Player) -> None:
    strangers = PlayerFactory.create_batch(50)
    make.deal(season, alice, "harmony")
    link = trades.link_gift(season, alice, "harmony").trade.link
    assert link
    outcomes = together(*(partial(trades.follow, link.code, stranger) for stranger in strangers))

    assert types(outcomes) == {answers.TradeReceipt: 1, errors.TradeAlreadyClosed: 49}
    (friend,) = Friendship.objects.filter(player=alice).values_list("friend", flat=True)
    assert make.held(season, Player.objects.get(pk=friend)) == {"harmony": 1}
    assert Hand.objects.get(player=alice).escrow == [0] * 8
    assert violations() == set()


def test_control_without_the_lock_a_claimed_card_leaves_escrow_twice(
    season: Campaign, alice: Player, owner_connection: psycopg.Connection
) -> None:
    """And without judging again after the friendship was made; what is left is that no count goes below zero."""
    strangers = PlayerFactory.create_batch(2)
    hands.ensure(campaign_id=season.pk, players=[stranger.pk for stranger in strangers])
    make.deal(season, alice, "harmony")
    link = trades.link_gift(season, alice, "harmony").trade.link
    assert link
    looked = "    facts := json_build_object('state', said)::text;\nEND\n"
    judged = "        SELECT * INTO status, said FROM cards_answer_refusal(trade, player, by_link, gate.at);\n"
    with ExitStack() as variants:
        meet = variants.enter_context(meeting(owner_connection, 2))
        variants.enter_context(unlocked_hands(owner_connection))
        pause = f"    PERFORM {meet};\n{looked}"
        variants.enter_context(without(owner_connection, "cards", "lock_trade", cut=looked, put=pause))
        variants.enter_context(without(owner_connection, "cards", "accept", cut=judged))
        outcomes = together(*(partial(trades.follow, link.code, stranger) for stranger in strangers))

    assert types(outcomes) == {answers.TradeReceipt: 1, IntegrityError: 1}


# --- accepting, withdrawing and expiring


def offered(season: Campaign, alice: Player, bob: Player, type_: str) -> tuple[UUID, Callable[[], Any]]:
    """An open trade of alice's, and how bob accepts it."""
    if type_ == "gift":
        make.deal(season, alice, "harmony")
        answer = trades.link_gift(season, alice, "harmony").trade
        assert answer.link
        return answer.id, partial(trades.follow, answer.link.code, bob)
    make.deal(season, bob, "harmony")
    answer = trades.request(season, alice, "harmony", to=[bob]).trade
    return answer.id, partial(trades.accept, answer.id, bob)


def expire_all() -> None:
    verbs.expire_due(budget_s=PATIENCE_S)


@pytest.mark.parametrize("type_", ["gift", "request"])
@pytest.mark.parametrize(
    "acts", [("accept", "cancel"), ("accept", "expire"), ("cancel", "expire"), ("accept", "cancel", "expire")]
)
def test_of_accepting_withdrawing_and_expiring_one_comes_first(
    acts: tuple[str, ...], type_: str, season: Campaign, alice: Player, bob: Player, clock: Clock
) -> None:
    """Time passes while they are at it, so that each of them may win."""
    for number in range(6):
        trade, accept = offered(season, alice, bob, type_)
        known: dict[str, list[Callable[[], Any]]] = {
            "accept": [accept] * 2,
            "cancel": [partial(trades.cancel, trade, alice)] * 2,
            "expire": [partial(_over, clock, trade), expire_all, expire_all],
        }
        calls = [call for act in acts for call in known[act]]
        # Who is started first is not always the first.
        outcomes = together(*calls[number % len(calls) :], *calls[: number % len(calls)])

        assert set(types(outcomes)) <= OUTCOMES | {type(None)}
        expire_all()
        assert types(outcomes)[answers.TradeReceipt] == (state(trade) != "expired")
        assert sum(Hand.objects.get(player=alice).escrow) == 0
    assert violations() == set()


def _over(clock: Clock, trade: UUID) -> None:
    expires_at = Trade.objects.get(public_id=trade).expires_at
    assert expires_at
    clock.move_to(expires_at)


def expired_while_it_is_accepted(
    season: Campaign, alice: Player, bob: Player, clock: Clock, owner: psycopg.Connection
) -> UUID:
    """An acceptance passes the gate in time, and is held up until a worker has found the trade overdue."""
    trade, accept = offered(season, alice, bob, "request")
    with (
        holding(owner) as (hold, held, _),
        without(owner, "cards", "accept", cut=ACCEPTED, put=f"    PERFORM {hold};\n{ACCEPTED}"),
    ):

        def expire() -> None:
            until(held)
            _over(clock, trade)
            expire_all()

        outcomes = together(accept, expire)
    assert types(outcomes) == {answers.TradeReceipt: 1, type(None): 1}
    return trade


def test_a_trade_accepted_in_time_does_not_expire(
    season: Campaign, alice: Player, bob: Player, clock: Clock, owner_connection: psycopg.Connection
) -> None:
    trade = expired_while_it_is_accepted(season, alice, bob, clock, owner_connection)
    assert state(trade) == "accepted"
    assert violations() == set()


def test_control_judged_before_the_lock_an_accepted_trade_expires(
    season: Campaign, alice: Player, bob: Player, clock: Clock, owner_connection: psycopg.Connection
) -> None:
    again = " AND t.state = 'open' AND t.expires_at <= gate.at\n        RETURNING"
    with without(owner_connection, "cards", "expire", cut=again, put="\n        RETURNING"):
        trade = expired_while_it_is_accepted(season, alice, bob, clock, owner_connection)
    found = violations()
    ended = state(trade)
    erase(season, owner_connection)

    assert ended == "expired"
    assert "trades_moved_their_cards" in found


def test_six_workers_expire_each_trade_once(season: Campaign, alice: Player, clock: Clock) -> None:
    friends = friends_of(alice, 3)
    make.deal(season, alice, *["harmony"] * 6)
    open_ones = [trades.link_gift(season, alice, "harmony").trade.id for _ in range(6)]
    open_ones += [trades.request(season, alice, "wild", everyone=True).trade.id for _ in range(6)]
    _over(clock, open_ones[-1])
    outcomes = together(*[expire_all] * 6)

    assert set(outcomes) == {None}
    assert {state(trade) for trade in open_ones} == {"expired"}
    assert make.held(season, alice) == {"harmony": 6}
    told = Event.objects.filter(campaign=season, type="trade.closed").values_list("player", flat=True)
    assert Counter(told) == {alice.pk: 12, **{friend.pk: 6 for friend in friends}}
    assert violations() == set()
