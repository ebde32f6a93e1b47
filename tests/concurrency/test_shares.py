"""Counting the live share by several workers at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db.models import QuerySet

from fortunes import sql
from redpackets.actions import shares
from redpackets.models import LiveShare
from tests.concurrency.together import PATIENCE_S, together
from tests.factories import redpackets as make
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.committed

WORKERS = 6


def counting(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> list[int]:
    """The campaigns that were really counted, one entry a count; something happens during each."""
    real, told = shares._complete, []

    def slowly(campaign_id: int, at: Any) -> int:
        told.append(campaign_id)
        meanwhile()
        return real(campaign_id, at)

    monkeypatch.setattr(shares, "_complete", slowly)
    return told


def test_of_many_workers_one_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = counting(monkeypatch, lambda: sql.fetch("SELECT pg_sleep(0.5)"))
    campaign = make.SettlementFactory.create().pool.campaign
    make.complete(campaign, PlayerFactory.create_batch(2))

    together(*[partial(shares._try, campaign.pk)] * WORKERS)  # there is no row to claim yet
    assert campaign.pk not in counted
    outcomes = together(*[shares.count_due] * WORKERS)

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert counted.count(campaign.pk) == 1
    assert LiveShare.objects.get(pk=campaign.pk).complete == 2


def test_control_without_the_lock_all_count(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = counting(monkeypatch, partial(threading.Barrier(WORKERS).wait, PATIENCE_S))
    campaign = make.SettlementFactory.create().pool.campaign
    LiveShare.objects.create(campaign=campaign)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)

    together(*[partial(shares._try, campaign.pk)] * WORKERS)

    assert counted.count(campaign.pk) == WORKERS
