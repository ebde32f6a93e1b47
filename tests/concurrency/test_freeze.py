"""The deadline: what straddles the freeze is counted or refused, never half."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from accounts.models import Player
from cards import catalogue, drawing, errors
from cards.actions import scans
from cards.answers import Redemption, TradeReceipt
from cards.models import Draw, Hand, Transfer
from fortunes import errors as ground
from fortunes import rulebooks, sql
from fortunes.actions import campaigns
from fortunes.models import Campaign
from tests.concurrency.together import PATIENCE_S, together, until
from tests.concurrency.variants import without
from tests.factories import cards as make
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.committed

GATE_LOCK = "    PERFORM pg_advisory_xact_lock_shared(5525, the_campaign::integer);\n"


@pytest.fixture
def closing() -> Campaign:
    """A season whose deadline comes when a test moves the clock there."""
    return make.SeasonFactory.create(rulebook={"quotas": make.PLENTY})


def footprint(campaign: Campaign) -> tuple[int, int, list[Any]]:
    """All that the freeze should hold still."""
    return (
        Draw.objects.filter(campaign=campaign).count(),
        Transfer.objects.filter(campaign=campaign).count(),
        sorted(Hand.objects.filter(campaign=campaign).values_list("player", "counts", "version")),
    )


def freeze(campaign: Campaign) -> None:
    while not campaigns.freeze(campaign_id=campaign.pk):
        time.sleep(0.05)


def test_scans_and_gifts_that_straddle_the_freeze(closing: Campaign, clock: Clock) -> None:
    alice, bob = PlayerFactory.create(), PlayerFactory.create()
    FriendshipFactory.create(player=alice, friend=bob)
    for player in (alice, bob):
        scans.redeem(campaign=closing, scans=[make.scan(closing, player) for _ in range(30)])
    stop, frozen = threading.Event(), []
    card = catalogue.of(closing.pk).kinds[0]
    every: list[list[Any]] = []

    def scanning(player: Player) -> list[Any]:
        every.append(outcomes := [])
        while not stop.is_set():
            outcomes.append(make.redeem(closing, player))
        return outcomes

    def giving(giver: Player, receiver: Player) -> list[Any]:
        every.append(outcomes := [])
        while not stop.is_set():
            try:
                outcomes.append(make.give(closing, giver, receiver, [card]))
            except (errors.CardNotHeld, ground.CampaignFrozen, ground.Busy) as refusal:
                outcomes.append(refusal)
        return outcomes

    def have_come(*wanted: type) -> bool:
        return set(wanted) <= {type(outcome) for outcomes in every for outcome in outcomes}

    def closer() -> list[Any]:
        try:
            until(lambda: have_come(Redemption, TradeReceipt))
            clock.move_to(closing.closes_at - timedelta(seconds=0.2))
            until(lambda: have_come(ground.CampaignFrozen))
            freeze(closing)
            frozen.append(footprint(closing))
            time.sleep(0.5)
        finally:
            stop.set()
        return []

    players = PlayerFactory.create_batch(8)
    calls: list[Callable[[], list[Any]]] = [lambda player=player: scanning(player) for player in players]
    calls += [lambda: giving(alice, bob), lambda: giving(bob, alice)] * 4
    answered = together(*calls, closer)

    assert frozen == [footprint(closing)]
    outcomes = [type(outcome) for given in answered for outcome in given]
    assert set(outcomes) <= {Redemption, TradeReceipt, ground.CampaignFrozen, errors.CardNotHeld}
    assert {Redemption, TradeReceipt, ground.CampaignFrozen} <= set(outcomes)
    assert Draw.objects.filter(campaign=closing).count() == 60 + outcomes.count(Redemption)
    assert Transfer.objects.filter(campaign=closing).count() == outcomes.count(TradeReceipt)


def freeze_while_a_scan_is_under_way(campaign: Campaign, clock: Clock) -> tuple[bool, int]:
    """(frozen before the scan had committed, draws that committed after the freeze)."""
    alice = PlayerFactory.create()
    make.redeem(campaign, alice)
    item = make.scan(campaign, alice)
    passed, deadline_over = threading.Event(), threading.Event()

    def slow_scan() -> None:
        # The scan's own transaction, held open after its last statement as a slow network would.
        with transaction.atomic():
            rules = rulebooks.version(campaign.pk, 1)
            params = drawing.params(campaign, 1, rules, [scans.wish(item, campaign=campaign)])
            sql.fetch(sql.text("cards", "scan"), params)
            passed.set()
            deadline_over.wait(PATIENCE_S)

    def closer() -> tuple[bool, int]:
        passed.wait(PATIENCE_S)
        clock.move_to(campaign.closes_at)
        frozen = campaigns.freeze(campaign_id=campaign.pk)
        before = Draw.objects.filter(campaign=campaign).count()
        deadline_over.set()
        return frozen, before

    _, (frozen, before) = together(slow_scan, closer)
    return frozen, Draw.objects.filter(campaign=campaign).count() - before


def test_the_freeze_waits_for_what_passed_the_gate(closing: Campaign, clock: Clock) -> None:
    frozen, _ = freeze_while_a_scan_is_under_way(closing, clock)

    assert frozen is False
    freeze(closing)
    assert Draw.objects.filter(campaign=closing).count() == 2


def test_control_without_the_gate_a_draw_commits_after_the_freeze(
    closing: Campaign, clock: Clock, owner_connection: psycopg.Connection
) -> None:
    with without(owner_connection, "fortunes", "gate_lock", cut=GATE_LOCK):
        frozen, late = freeze_while_a_scan_is_under_way(closing, clock)

    assert (frozen, late) == (True, 1)


def test_a_waiting_closer_gives_up_and_holds_nobody_up(closing: Campaign, clock: Clock) -> None:
    clock.move_to(closing.closes_at)
    entered, done = threading.Event(), threading.Event()

    def long_holder() -> None:
        with transaction.atomic():
            sql.fetch("SELECT fortunes_gate_lock(%(campaign)s)", {"campaign": closing.pk})
            entered.set()
            done.wait(PATIENCE_S)

    def closer() -> bool:
        entered.wait(PATIENCE_S)
        try:
            return campaigns.freeze(campaign_id=closing.pk)
        finally:
            done.set()

    assert together(long_holder, closer)[1] is False
    assert connection.in_atomic_block is False


def test_the_freeze_is_stamped_once(closing: Campaign, clock: Clock) -> None:
    clock.move_to(closing.closes_at)
    freeze(closing)
    first = Campaign.objects.get(pk=closing.pk).frozen_at
    freeze(closing)

    assert Campaign.objects.get(pk=closing.pk).frozen_at == first
    assert first is not None
    assert first >= closing.closes_at
