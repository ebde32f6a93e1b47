"""Trades that run into others, into limits, the end of a friendship and the freeze; each guard with a control."""

from __future__ import annotations

import threading
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import OperationalError

from accounts.actions import friendships
from accounts.models import Player
from cards import answers, errors
from cards.actions import trades as verbs
from cards.models import Hand, Trade, Transfer
from fortunes import errors as ground
from fortunes.actions import campaigns
from fortunes.models import Campaign
from tests.concurrency.together import PATIENCE_S, together, until
from tests.concurrency.trading import ACCEPTED, GIVEN, all_judged_first, friends_of, state, types, violations
from tests.concurrency.variants import erase, holding, meeting, without
from tests.factories import cards as make
from tests.factories import trades
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.committed

GATE_LOCK = "    PERFORM pg_advisory_xact_lock_shared(5525, the_campaign::integer);\n"
SECOND_LOCK = "        second := cards_lock_hand(the_campaign, other);\n    ELSE\n"


@pytest.fixture
def season() -> Campaign:
    return make.TradingSeasonFactory.create(rules={"trading": {"open_trades": 200, "open_links": 20}})


@pytest.fixture
def alice() -> Player:
    return PlayerFactory.create()


@pytest.fixture
def bob(alice: Player) -> Player:
    bob = PlayerFactory.create()
    FriendshipFactory.create(player=alice, friend=bob)
    return bob


# --- two who act upon each other


def crossing(season: Campaign, alice: Player, bob: Player, each: int) -> list[tuple[UUID, Player]]:
    """As many open swaps and requests of alice's as of bob's, and who is to accept them."""
    make.deal(season, alice, *["harmony"] * each * 3)
    make.deal(season, bob, *["wild"] * each * 3)
    found = []
    for _ in range(each):
        found += [
            (trades.offer(season, alice, ["harmony"], ["wild"], to=[bob]).trade.id, bob),
            (trades.offer(season, bob, ["wild"], ["harmony"], to=[alice]).trade.id, alice),
            (trades.request(season, alice, "wild", to=[bob]).trade.id, bob),
            (trades.request(season, bob, "harmony", to=[alice]).trade.id, alice),
        ]
    return found


def test_crossing_acceptances_at_64_parallel(season: Campaign, alice: Player, bob: Player) -> None:
    """Swaps and requests between two, each accepting what the other proposed: every one of them is covered."""
    outcomes = together(*(partial(trades.accept, trade, by) for trade, by in crossing(season, alice, bob, 16)))

    assert types(outcomes) == {answers.TradeReceipt: 64}
    assert make.held(season, alice) == {"wild": 48}
    assert make.held(season, bob) == {"harmony": 48}
    assert violations() == set()


def test_control_crossing_acceptances_deadlock_without_the_order_of_locks(
    season: Campaign, alice: Player, bob: Player, owner_connection: psycopg.Connection
) -> None:
    """One's own hand first, the other's second: two reasonable orders that meet."""
    swaps = crossing(season, alice, bob, 1)[:2]
    with (
        meeting(owner_connection, 2) as meet,
        without(
            owner_connection, "cards", "lock_pair", cut="    IF one < other THEN\n", put="    IF true THEN\n",
            more={SECOND_LOCK: f"        PERFORM {meet};\n{SECOND_LOCK}"},
        ),
    ):  # fmt: skip
        outcomes = together(*(partial(trades.accept, trade, by) for trade, by in swaps))

    failed = {
        getattr(outcome.__cause__, "sqlstate", None) for outcome in outcomes if isinstance(outcome, OperationalError)
    }
    assert failed & {"40P01", "55P03"}
    assert violations() == set()


# --- one card, promised twice


def one_card_promised_twice(season: Campaign, alice: Player, bob: Player) -> list[Any]:
    """Bob accepts a swap for alice's only card while she gives it away."""
    charlie = friends_of(alice, 1)[0]
    make.deal(season, alice, "harmony")
    make.deal(season, bob, "wild")
    make.deal(season, charlie, "copy")
    swap = trades.offer(season, alice, ["harmony"], ["wild"], to=[bob]).trade.id
    return together(partial(trades.accept, swap, bob), partial(make.give, season, alice, charlie, ["harmony"]))


def test_a_swap_whose_card_is_given_away_meanwhile(season: Campaign, alice: Player) -> None:
    for _ in range(10):
        bob = friends_of(alice, 1)[0]
        outcomes = types(one_card_promised_twice(season, alice, bob))
        assert outcomes in (
            {answers.TradeReceipt: 1, errors.OfferNotCovered: 1}, {answers.TradeReceipt: 1, errors.CardNotHeld: 1},
        )  # fmt: skip
    assert violations() == set()


def test_control_without_the_lock_one_card_goes_both_ways(
    season: Campaign, alice: Player, bob: Player, owner_connection: psycopg.Connection
) -> None:
    with all_judged_first(owner_connection, 2, accept=ACCEPTED, give=GIVEN):
        outcomes = one_card_promised_twice(season, alice, bob)
    moved = Transfer.objects.filter(giver=alice, campaign=season).count()
    found = violations()
    erase(season, owner_connection)

    assert types(outcomes) == {answers.TradeReceipt: 2}
    assert moved == 2
    assert found >= {"cards_conserved", "hands_equal_history"}


def test_a_card_that_goes_into_escrow_while_it_is_given_away(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, *["harmony"] * 10)
    calls = [
        partial(trades.link_gift, season, alice, "harmony", "harmony"),
        partial(make.give, season, alice, bob, ["harmony"] * 2),
    ]
    outcomes = together(*calls * 6)

    assert types(outcomes) == {answers.TradeReceipt: 5, errors.CardNotHeld: 7}
    hand = Hand.objects.get(campaign=season, player=alice)
    assert make.held(season, alice) == {}
    assert sum(hand.escrow) + make.held(season, bob).get("harmony", 0) == 10
    assert violations() == set()


# --- limits


@pytest.fixture
def strict() -> Campaign:
    limits = {"open_trades": 3, "open_links": 2, "received_per_day": 3}
    return make.TradingSeasonFactory.create(rules={"trading": limits})


def test_parallel_proposals_fill_the_limit_exactly(strict: Campaign, alice: Player, bob: Player) -> None:
    make.deal(strict, alice, *["harmony"] * 12)
    asked = [partial(trades.request, strict, alice, "wild", to=[bob])] * 12
    swaps = [partial(trades.offer, strict, alice, ["harmony"], ["wild"], to=[bob])] * 12
    outcomes = together(*asked, *swaps)

    assert types(outcomes) == {answers.TradeReceipt: 3, errors.TradeLimitReached: 21}
    assert Trade.objects.filter(proposer=alice, state="open").count() == 3


def test_parallel_links_fill_their_limit_exactly(strict: Campaign, alice: Player) -> None:
    make.deal(strict, alice, *["harmony"] * 12)
    outcomes = together(*[partial(trades.link_gift, strict, alice, "harmony")] * 12)

    assert types(outcomes) == {answers.TradeReceipt: 2, errors.LinkLimitReached: 10}
    assert Hand.objects.get(player=alice).escrow[2] == 2


def test_control_without_the_lock_proposals_overstep_the_limit(
    strict: Campaign, alice: Player, bob: Player, owner_connection: psycopg.Connection
) -> None:
    make.deal(strict, alice, "wild")
    with all_judged_first(owner_connection, 6, propose="    IF used.trades >= open_trades THEN\n"):
        outcomes = together(*[partial(trades.request, strict, alice, "harmony", to=[bob])] * 6)
    found = violations()
    erase(strict, owner_connection)

    assert types(outcomes) == {answers.TradeReceipt: 6}
    assert "open_trades_capped" in found


def givers_of(strict: Campaign, alice: Player, count: int) -> list[Player]:
    friends = friends_of(alice, count)
    for friend in friends:
        make.deal(strict, friend, "harmony")
    make.deal(strict, alice, "wild")
    return friends


def test_parallel_givers_fill_the_limit_of_a_receiver_exactly(strict: Campaign, alice: Player) -> None:
    friends = givers_of(strict, alice, 12)
    asked = [trades.request(strict, alice, "harmony", to=[friend]).trade.id for friend in friends[:3]]
    outcomes = together(
        *(partial(trades.accept, trade, friend) for trade, friend in zip(asked, friends[:3], strict=True)),
        *(partial(make.give, strict, friend, alice, ["harmony"]) for friend in friends[3:]),
    )

    assert types(outcomes) == {answers.TradeReceipt: 3, errors.ReceiverLimitReached: 9}
    assert make.held(strict, alice) == {"harmony": 3, "wild": 1}
    assert violations() == set()


def test_control_without_the_lock_a_receiver_is_fed_beyond_the_limit(
    strict: Campaign, alice: Player, owner_connection: psycopg.Connection
) -> None:
    friends = givers_of(strict, alice, 6)
    with all_judged_first(owner_connection, 6, give=GIVEN):
        outcomes = together(*(partial(make.give, strict, friend, alice, ["harmony"]) for friend in friends))
    found = violations()
    erase(strict, owner_connection)

    assert types(outcomes) == {answers.TradeReceipt: 6}
    assert "gifts_counted" in found


# --- the end of a friendship, and of the season


def accepted_while_it_ends(
    season: Campaign, alice: Player, bob: Player, owner: psycopg.Connection, verb: Any
) -> tuple[list[Any], str]:
    """What came of an acceptance and of the end of the friendship meanwhile; the trade's state right after that end."""
    make.deal(season, bob, "harmony")
    trade = trades.request(season, alice, "harmony", to=[bob]).trade.id
    with (
        holding(owner) as (hold, held, let_go),
        without(owner, "cards", "accept", cut=ACCEPTED, put=f"    PERFORM {hold};\n{ACCEPTED}"),
    ):

        def end() -> str:
            until(held)
            verb(by=alice.pk, player=bob.public_id)
            seen = state(trade)
            let_go()
            return seen

        outcomes = together(partial(trades.accept, trade, bob), end)
    return outcomes, outcomes[1]


@pytest.mark.parametrize("verb", [friendships.end, friendships.block])
def test_nothing_is_accepted_after_the_friendship_has_ended(
    verb: Any, season: Campaign, alice: Player, bob: Player, owner_connection: psycopg.Connection
) -> None:
    outcomes, seen = accepted_while_it_ends(season, alice, bob, owner_connection, verb)
    assert type(outcomes[0]) is answers.TradeReceipt
    assert seen == "accepted"

    with pytest.raises(errors.FriendNotFound):
        trades.request(season, alice, "harmony", to=[bob])


@pytest.mark.parametrize("verb", [friendships.end, friendships.block])
def test_a_friendship_ends_while_trades_are_accepted(verb: Any, season: Campaign, alice: Player) -> None:
    for _ in range(6):
        bob = friends_of(alice, 1)[0]
        make.deal(season, bob, "harmony")
        trade = trades.request(season, alice, "harmony", to=[bob]).trade.id
        outcome, *_ = together(partial(trades.accept, trade, bob), partial(verb, by=alice.pk, player=bob.public_id))
        expected = {"accepted": answers.TradeReceipt, "open": errors.TradeNotFound}
        assert type(outcome) is expected[state(trade)]
    assert violations() == set()


def test_control_a_look_at_the_friendship_holds_nothing(
    season: Campaign, alice: Player, bob: Player, owner_connection: psycopg.Connection
) -> None:
    with without(owner_connection, "accounts", "share_friendship", cut="\n        FOR SHARE;", put=";"):
        outcomes, seen = accepted_while_it_ends(season, alice, bob, owner_connection, friendships.end)
    assert type(outcomes[0]) is answers.TradeReceipt
    assert seen == "open"


def frozen_while_it_is_accepted(
    season: Campaign, alice: Player, bob: Player, clock: Clock, owner: psycopg.Connection
) -> tuple[UUID, bool, str]:
    """A trade whose acceptance has passed the gate; whether the season froze meanwhile, and the trade's state then."""
    clock.move_to(season.closes_at - timedelta(hours=1))
    make.deal(season, bob, "harmony")
    trade = trades.request(season, alice, "harmony", to=[bob]).trade.id
    with (
        holding(owner) as (hold, held, let_go),
        without(owner, "cards", "accept", cut=ACCEPTED, put=f"    PERFORM {hold};\n{ACCEPTED}"),
    ):

        def freeze() -> tuple[bool, str]:
            until(held)
            clock.move_to(season.closes_at)
            frozen = campaigns.freeze(campaign_id=season.pk)
            seen = state(trade)
            let_go()
            return frozen, seen

        outcome, (frozen, seen) = together(partial(trades.accept, trade, bob), freeze)
    assert type(outcome) is answers.TradeReceipt
    return trade, frozen, seen


def test_the_freeze_waits_for_an_acceptance_that_has_passed_the_gate(
    season: Campaign, alice: Player, bob: Player, clock: Clock, owner_connection: psycopg.Connection
) -> None:
    _, frozen, seen = frozen_while_it_is_accepted(season, alice, bob, clock, owner_connection)
    assert not frozen or seen == "accepted"
    clock.move_to(season.closes_at)
    with pytest.raises(ground.CampaignFrozen):
        trades.request(season, alice, "harmony", to=[bob])


def test_control_without_the_gate_an_acceptance_commits_after_the_freeze(
    season: Campaign, alice: Player, bob: Player, clock: Clock, owner_connection: psycopg.Connection
) -> None:
    with without(owner_connection, "fortunes", "gate_lock", cut=GATE_LOCK):
        trade, frozen, seen = frozen_while_it_is_accepted(season, alice, bob, clock, owner_connection)
    assert (frozen, seen, state(trade)) == (True, "open", "accepted")


def test_trades_that_straddle_the_freeze(season: Campaign, alice: Player, bob: Player, clock: Clock) -> None:
    """Whatever is accepted, withdrawn, proposed or expires around the deadline: after the freeze nothing moves."""
    clock.move_to(season.closes_at - timedelta(hours=1))
    make.deal(season, alice, *["harmony"] * 30)
    make.deal(season, bob, *["wild"] * 30)
    swaps = [trades.offer(season, alice, ["harmony"], ["wild"], to=[bob]).trade.id for _ in range(60)]
    links = [trades.link_gift(season, alice, "harmony").trade for _ in range(8)]
    calls: list[Any] = [partial(trades.accept, trade, bob) for trade in swaps[:20]]
    calls += [partial(trades.cancel, link.id, alice) for link in links]
    calls += [partial(trades.request, season, bob, "harmony", to=[alice]) for _ in range(8)]

    def late(call: Any) -> Any:
        begun.set()
        return call()

    def freeze() -> None:
        assert begun.wait(PATIENCE_S)
        clock.move_to(season.closes_at)
        until(partial(campaigns.freeze, campaign_id=season.pk))
        frozen.append(footprint(season))

    begun = threading.Event()
    frozen: list[Any] = []
    outcomes = types(together(freeze, *(partial(late, call) for call in calls)))
    verbs.expire_due()
    for trade in swaps[20:]:
        with pytest.raises(ground.CampaignFrozen):
            trades.accept(trade, bob)

    assert set(outcomes) <= {answers.TradeReceipt, ground.CampaignFrozen, errors.CardNotHeld, type(None)}
    assert frozen == [footprint(season)]
    assert violations() == set()


def footprint(season: Campaign) -> Any:
    """All that the freeze should hold still."""
    hands = Hand.objects.filter(campaign=season).order_by("player")
    return (
        list(hands.values_list("player", "counts", "escrow", "version")),
        list(Trade.objects.filter(campaign=season).order_by("id").values_list("id", "state", "closed_at")),
    )
