"""Paying what votes have promised, by many workers at once, and by workers that are killed."""

from __future__ import annotations

import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError

from cards.models import Conversion
from config.celery import app
from fortunes import sql
from fortunes.models import Campaign, DeadLetter
from redpackets.actions import compensations, conversions
from redpackets.actions.compensations import Reason
from redpackets.models import CompensationFund, LedgerEntry, Wallet
from tests.concurrency.killing import killed_at
from tests.concurrency.together import PATIENCE_S, together, until
from tests.factories import aftermaths as rules
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory
from tests.redpackets.test_worker import eventually, worker

pytestmark = pytest.mark.committed

EACH = rules.INTO_FEN["steal"]["amount_fen"]
MOST_MOMENTS = 40


@pytest.fixture
def season(committed_db: None) -> Campaign:
    """Six players are owed money for a steal card each."""
    season = rules.season_with_steals()
    for player in PlayerFactory.create_batch(6):
        make.deal(season, player, "steal")
    rules.remove(season, "steal", promising=rules.INTO_FEN)
    rules.follow(season)
    return season


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversions, "CHUNK", 2)


@pytest.fixture(autouse=True)
def nothing_is_owed_afterwards(season: Campaign) -> Iterator[None]:
    """Other tests that pay what is due would pay it."""
    yield
    set_aside(season, 6 * EACH)
    pay_all(season)


def set_aside(season: Campaign, amount_fen: int) -> None:
    key = f"bank:{secrets.token_hex(6)}"
    compensations.fund(campaign_id=season.pk, amount_fen=amount_fen, business_key=key, by=None)


def pay_all(season: Campaign) -> None:
    while conversions._pay_chunk(season.pk):
        pass


def paid(season: Campaign) -> dict[int, int]:
    """Fen by player, from the ledger."""
    entries = LedgerEntry.objects.filter(source_kind="goodwill", source_owner=season.pk)
    return dict(entries.values_list("destination_owner", "amount_fen"))


def require_paid_once(season: Campaign) -> None:
    owed = dict(Conversion.objects.filter(campaign=season).values_list("player", "fen"))
    assert paid(season) == owed
    assert not Conversion.objects.filter(campaign=season, paid_at=None).exists()
    assert dict(Wallet.objects.filter(player__in=owed).values_list("player", "balance_fen")) == owed
    assert LedgerEntry.objects.filter(business_key__startswith="conversion:", source_owner=season.pk).count() == 6
    assert CompensationFund.objects.get(pk=season.pk).paid_fen == 6 * EACH


def test_four_workers_at_once_pay_everything_once(season: Campaign) -> None:
    set_aside(season, 6 * EACH)

    outcomes = together(*[conversions.pay_due] * 4)

    assert outcomes == [False] * 4
    # Somebody may have found all that was left in others' hands, and gone.
    pay_all(season)
    require_paid_once(season)


def test_control_without_the_claim_two_workers_want_to_pay_the_same(
    season: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_aside(season, 6 * EACH)
    both = threading.Barrier(2)

    def claim_unlocked(campaign_id: int) -> list[Conversion]:
        found = list(Conversion.objects.filter(campaign=campaign_id, paid_at=None).order_by("pk")[:2])
        both.wait(PATIENCE_S)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(conversions, "_claim", claim_unlocked)
        outcomes = together(*[partial(conversions._pay_chunk, season.pk)] * 2)

    # Only the business key is left to stop the second.
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["RuntimeError", "bool"]
    assert len(paid(season)) == 2
    pay_all(season)
    require_paid_once(season)


def meeting_before_the_fund(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Two who pay have both read what the fund has left before either takes it."""
    both, left_fen = threading.Barrier(2), conversions._left_fen

    def read(campaign_id: int) -> int:
        left = left_fen(campaign_id)
        both.wait(PATIENCE_S)
        return left

    monkeypatch.setattr(conversions, "_left_fen", read)
    return monkeypatch


def test_two_workers_never_spend_the_same_money(season: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is enough for one of their chunks: the other one finds so at the end, and begins anew."""
    set_aside(season, 3 * EACH)
    with monkeypatch.context() as patch:
        meeting_before_the_fund(patch)
        outcomes = together(*[partial(conversions._pay_chunk, season.pk)] * 2)

    assert outcomes == [True, True]
    assert len(paid(season)) == 2
    pay_all(season)
    pay_all(season)
    assert len(paid(season)) == 3
    assert CompensationFund.objects.get(pk=season.pk).paused_at
    assert DeadLetter.objects.filter(job=conversions.JOB, subject_id=season.pk, outcome=None).count() == 1


def test_control_without_the_look_at_the_fund_more_is_spent_than_there_is(
    season: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the statement judges in earnest is judged by what was read: only the constraint is left to refuse it."""
    set_aside(season, 3 * EACH)
    with monkeypatch.context() as patch:
        meeting_before_the_fund(patch)
        patch.setattr(conversions, "_spend", _spend_what_was_read)
        outcomes = together(*[partial(conversions._pay_chunk, season.pk)] * 2)

    assert sorted(type(outcome) for outcome in outcomes if outcome is not True) == [IntegrityError]
    assert len(paid(season)) == 2


def _spend_what_was_read(campaign_id: int, spent_fen: int) -> None:
    query = "UPDATE redpackets_compensationfund SET paid_fen = paid_fen + %(fen)s WHERE campaign_id = %(campaign)s"
    sql.execute(query, {"fen": spent_fen, "campaign": campaign_id})


def test_staff_pay_while_a_worker_does(season: Campaign) -> None:
    """Both take wallets before the fund: the other way round they could deadlock."""
    set_aside(season, 8 * EACH)
    player, clerk = Conversion.objects.filter(campaign=season)[0].player_id, PlayerFactory.create(is_staff=True)
    case = {"amount_fen": 10, "reason": Reason.OUTAGE, "by": clerk.pk}
    by_staff: list[Callable[[], Any]] = [
        partial(compensations.pay, campaign_id=season.pk, player_id=player, case=f"T-{number}", **case)
        for number in range(4)
    ]

    outcomes = together(*by_staff, *[conversions.pay_due] * 2)

    assert [outcome.paid for outcome in outcomes[:4]] == [True] * 4
    pay_all(season)
    assert CompensationFund.objects.get(pk=season.pk).paid_fen == 6 * EACH + 40
    assert Wallet.objects.get(player=player).balance_fen == EACH + 40


@pytest.mark.slow
def test_killed_between_any_two_statements(season: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    """For every moment of the payments a worker that dies there, and the next one, which does what is left."""
    for moment in range(1, MOST_MOMENTS):
        season = season if moment == 1 else _another_season()
        set_aside(season, 6 * EACH)
        with killed_at(monkeypatch, moment) as moments:
            pay_all(season)
        pay_all(season)
        require_paid_once(season)
        if moments() < moment:
            assert moment > 20
            return
    pytest.fail(f"paying takes more than {MOST_MOMENTS} moments")


def _another_season() -> Campaign:
    season = rules.season_with_steals()
    for player in PlayerFactory.create_batch(6):
        make.deal(season, player, "steal")
    rules.remove(season, "steal", promising=rules.INTO_FEN)
    rules.follow(season)
    return season


BLOCKED_BY = "SELECT pid FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"


@pytest.mark.slow
def test_a_worker_that_is_killed_while_it_pays(
    season: Campaign, owner_connection: psycopg.Connection, tmp_path: Path
) -> None:
    """It has posted entries and wallets, and waits for the fund's row: SIGKILL. Another one pays everything, once."""
    set_aside(season, 6 * EACH)
    mine = owner_connection.info.backend_pid
    with worker(tmp_path) as doomed:
        with owner_connection.transaction():
            owner_connection.execute(
                "SELECT FROM redpackets_compensationfund WHERE campaign_id = %s FOR UPDATE", [season.pk]
            )
            _ring()
            until(lambda: sql.fetch(BLOCKED_BY.replace("%s", str(mine))))
            os.killpg(doomed.pid, signal.SIGKILL)
            doomed.wait()
        assert paid(season) == {}

    with worker(tmp_path):
        _ring()
        eventually(lambda: not Conversion.objects.filter(campaign=season, paid_at=None).exists())
    require_paid_once(season)


def _ring() -> None:
    app.send_task("redpackets.tasks.pay_conversions")
