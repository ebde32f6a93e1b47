"""Compensations under races, each with a control that shows what its guard prevents."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError
from django.db.models import F

from accounts.models import Player
from fortunes.models import AuditEntry, Campaign, Event
from redpackets import errors
from redpackets.actions import compensations, settlements
from redpackets.actions.compensations import Paid, Reason
from redpackets.models import CompensationFund
from tests.concurrency.together import PATIENCE_S, together
from tests.factories import redpackets as make
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.committed

CONSTRAINT = "compensation_fund_not_overspent"


@pytest.fixture
def campaign(committed_db: None) -> Campaign:
    """A campaign that has set 100 fen aside."""
    campaign: Campaign = make.DraftFactory.create()
    key = f"bank:{secrets.token_hex(6)}"
    compensations.fund(campaign_id=campaign.pk, amount_fen=100, business_key=key, by=None)
    return campaign


def payments(campaign: Campaign, players: list[Player], amount_fen: int) -> list[Callable[[], Any]]:
    clerk = PlayerFactory.create(is_staff=True)
    given = {"amount_fen": amount_fen, "reason": Reason.OUTAGE, "by": clerk.pk, "case": "T-1"}
    return [partial(compensations.pay, campaign_id=campaign.pk, player_id=player.pk, **given) for player in players]


def paid_fen(campaign: Campaign) -> int:
    return CompensationFund.objects.get(campaign=campaign).paid_fen


def test_payments_at_once_take_no_more_than_there_is(campaign: Campaign) -> None:
    outcomes = together(*payments(campaign, PlayerFactory.create_batch(8), 30))

    assert sum(outcome == Paid(30, paid=True) for outcome in outcomes) == 3
    assert sum(isinstance(outcome, errors.CompensationFundEmpty) for outcome in outcomes) == 5
    assert paid_fen(campaign) == 90


def spending_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: both look, and then both take."""
    both = threading.Barrier(2)

    def spend(campaign_id: int, amount_fen: int) -> None:
        fund = CompensationFund.objects.get(pk=campaign_id)
        both.wait(PATIENCE_S)
        if fund.funded_fen < fund.paid_fen + amount_fen:
            raise errors.CompensationFundEmpty
        CompensationFund.objects.filter(pk=campaign_id).update(paid_fen=F("paid_fen") + amount_fen)

    monkeypatch.setattr(compensations, "_spend", spend)


def test_control_a_look_before_the_payment_leaves_only_the_constraint(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    spending_what_was_read(monkeypatch)

    outcomes = together(*payments(campaign, PlayerFactory.create_batch(2), 60))

    assert sorted(type(outcome).__name__ for outcome in outcomes) == [IntegrityError.__name__, "Paid"]
    assert paid_fen(campaign) == 60


def test_control_without_the_constraint_too_much_is_paid(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, owner_connection: psycopg.Connection
) -> None:
    spending_what_was_read(monkeypatch)
    players = PlayerFactory.create_batch(2)
    table = b"ALTER TABLE redpackets_compensationfund "
    (definition,) = owner_connection.execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [CONSTRAINT]
    ).fetchone()
    owner_connection.execute(table + b"DROP CONSTRAINT " + CONSTRAINT.encode())
    try:
        together(*payments(campaign, players, 60))
        assert paid_fen(campaign) == 120
    finally:
        _forget(owner_connection, campaign, players)
        owner_connection.execute(table + b"ADD CONSTRAINT " + CONSTRAINT.encode() + b" " + definition.encode())


def test_one_case_pressed_by_many_at_once_is_paid_once(campaign: Campaign) -> None:
    player = PlayerFactory.create()

    outcomes = together(*payments(campaign, [player], 30) * 8)

    assert sorted(outcome.paid for outcome in outcomes) == [False] * 7 + [True]
    assert paid_fen(campaign) == 30
    assert AuditEntry.objects.filter(action="compensation.paid", subject_id=player.pk).count() == 1
    assert Event.objects.filter(player=player, type="compensation.paid").count() == 1


def test_a_settlement_that_two_pause_at_once_is_paused_once() -> None:
    run = make.SettlementFactory.create()
    for press, action in ((settlements.pause, "settlement.paused"), (settlements.resume, "settlement.resumed")):
        outcomes = together(*[partial(press, settlement_id=run.pk, by=None)] * 8)
        assert sorted(outcome.changed for outcome in outcomes) == [False] * 7 + [True]
        written = AuditEntry.objects.filter(action=action, subject="redpackets.settlement", subject_id=run.pk)
        assert written.count() == 1


def _forget(owner: psycopg.Connection, campaign: Campaign, players: list[Player]) -> None:
    """Take away what a control broke: the session ends with a check of the invariants."""
    with owner.transaction():
        owner.execute("ALTER TABLE redpackets_ledgerentry DISABLE TRIGGER append_only")
        owner.execute(
            # With its kind: a number is a campaign's in one account and a player's in another.
            "DELETE FROM redpackets_ledgerentry WHERE (source_kind, source_owner) = ('goodwill', %(campaign)s) "
            "OR (destination_kind, destination_owner) = ('goodwill', %(campaign)s)",
            {"campaign": campaign.pk},
        )
        owner.execute("ALTER TABLE redpackets_ledgerentry ENABLE TRIGGER append_only")
        owner.execute("DELETE FROM redpackets_compensationfund WHERE campaign_id = %s", [campaign.pk])
        owner.execute("DELETE FROM redpackets_wallet WHERE player_id = ANY(%s)", [[player.pk for player in players]])
