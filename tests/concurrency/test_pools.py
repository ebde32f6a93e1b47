"""Pools and openings under races, each with a control that shows what the lock prevents."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError
from django.db.models import QuerySet

from fortunes.errors import CampaignAlreadyOpened
from fortunes.models import Broadcast, Campaign
from redpackets import errors, ledger
from redpackets.actions import openings, pools
from redpackets.models import Pool, Settlement
from tests.concurrency.together import PATIENCE_S, together
from tests.factories import redpackets as make

pytestmark = pytest.mark.committed


def fundings(pool: Pool, amount_fen: int, times: int) -> list[Callable[[], Any]]:
    fund = partial(pools.fund, pool_id=pool.pk, amount_fen=amount_fen)
    return [partial(fund, business_key=f"part-{number}:{pool.pk}") for number in range(times)]


@contextmanager
def unlocked(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> Iterator[None]:
    """The control: no row is locked, and two callers wait for each other right after they have read."""
    both, read = threading.Barrier(2), getattr(module, name)

    def read_together(*args: Any, **given: Any) -> Any:
        found = read(*args, **given)
        both.wait(PATIENCE_S)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)
        patch.setattr(module, name, read_together)
        yield


def test_two_pools_for_one_campaign_at_once() -> None:
    campaign = make.DraftFactory.create()

    outcomes = together(*[partial(pools.create, campaign_id=campaign.pk, amount_fen=5)] * 8)

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Pool"] + ["PoolAlreadyExists"] * 7
    assert Pool.objects.filter(campaign=campaign).count() == 1


def test_fundings_at_once_do_not_overfund() -> None:
    pool = make.PoolFactory.create(funded=False, amount_fen=100)

    outcomes = together(*fundings(pool, 30, times=8))

    assert sum(isinstance(outcome, errors.PoolOverfunded) for outcome in outcomes) == 5
    assert ledger.funded_fen(pool.pk) == 90


def test_one_funding_that_arrives_8_times() -> None:
    pool = make.PoolFactory.create(funded=False, amount_fen=100)

    outcomes = together(*fundings(pool, 100, times=1) * 8)

    assert all(isinstance(outcome, Pool) for outcome in outcomes)
    assert ledger.funded_fen(pool.pk) == 100


def test_control_without_the_lock_fundings_overfund(
    monkeypatch: pytest.MonkeyPatch, owner_connection: psycopg.Connection
) -> None:
    pool = make.PoolFactory.create(funded=False, amount_fen=100)

    with unlocked(monkeypatch, ledger, "funded_fen"):
        together(*fundings(pool, 60, times=2))

    assert ledger.funded_fen(pool.pk) == 120
    _forget(owner_connection, pool)


def test_one_campaign_opened_by_8_at_once() -> None:
    pool = make.PoolFactory.create()

    outcomes = together(*[partial(openings.open, campaign_id=pool.campaign_id)] * 8)

    assert sum(isinstance(outcome, Campaign) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, CampaignAlreadyOpened) for outcome in outcomes) == 7
    assert Settlement.objects.filter(pool=pool).count() == 1
    assert Broadcast.objects.filter(campaign=pool.campaign, type="campaign.opened").count() == 1


def test_control_without_the_lock_both_find_the_campaign_unopened(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = make.PoolFactory.create()

    with unlocked(monkeypatch, openings, "checks"):
        outcomes = together(*[partial(openings.open, campaign_id=pool.campaign_id)] * 2)

    # Only a constraint is left to stop the second.
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Campaign", IntegrityError.__name__]


def _forget(owner: psycopg.Connection, pool: Pool) -> None:
    """Take away what a control broke: the session ends with a check of the invariants."""
    with owner.transaction():
        owner.execute("ALTER TABLE redpackets_ledgerentry DISABLE TRIGGER append_only")
        owner.execute(
            "DELETE FROM redpackets_ledgerentry WHERE destination_kind = 'pool' AND destination_owner = %s", [pool.pk]
        )
        owner.execute("ALTER TABLE redpackets_ledgerentry ENABLE TRIGGER append_only")
