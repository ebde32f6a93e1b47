"""The worker splits the pool and nobody else: real Celery processes on a real broker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from accounts import tokens
from accounts.models import Player
from cards.models import Hand
from fortunes import clock as database_clock
from fortunes.models import Campaign
from redpackets.models import LedgerEntry, Payout, Settlement, Wallet
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory
from tests.factories.redpackets import ONE_CARD

pytestmark = [pytest.mark.committed, pytest.mark.slow]

PATIENCE_S = 60.0


@contextmanager
def celery(folder: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery process with this test's database and broker; ended with its children."""
    with (folder / "celery.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "config.celery", *words, "--loglevel=warning"],
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def worker(folder: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    return celery(folder, "worker", "--concurrency=2", "--without-gossip", "--without-mingle")


def beat(folder: Path, name: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
    return celery(folder, "beat", f"--schedule={folder / name}")


def eventually(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.1)


@pytest.fixture
def season() -> Campaign:
    """Five complete hands, and a deadline that passes while we wait for it."""
    now = database_clock.now()
    season = make.SeasonFactory.create(
        opens_at=now - timedelta(minutes=1),
        closes_at=now + timedelta(seconds=6),
        reveal_at=now + timedelta(seconds=6),
        rulebook=ONE_CARD,
        pool_fen=10_003,
    )
    for player in PlayerFactory.create_batch(5):
        make.DrawFactory.create(campaign=season, player=player)
    eventually(lambda: database_clock.now() >= season.closes_at)
    return season


def run_of(season: Campaign) -> Settlement:
    return Settlement.objects.get(pool__campaign=season)


def amounts(season: Campaign) -> list[int]:
    return sorted(Payout.objects.filter(pool__campaign=season).values_list("amount_fen", flat=True))


def use_everything(season: Campaign, player: Player) -> None:
    """Every view and command that has to do with the end of a season."""
    client = Client(headers={"Authorization": f"Bearer {tokens.issue(player).token}", "Idempotency-Key": "k"})
    base = f"/api/v1/campaigns/{season.slug}"
    for path in (
        "",
        "/settlement",
        "/settlement/manifest",
        "/packet",
        "/hand",
        "/fairness",
        "/kinds/patriotism/issues",
    ):
        assert client.get(base + path).status_code < 500
    assert client.post(f"{base}/packet/opening").status_code == 409
    call_command("check_invariants", verbosity=0)


def test_without_the_worker_nothing_is_split(season: Campaign, tmp_path: Path) -> None:
    winner = Player.objects.get(pk=Hand.objects.filter(campaign=season).values_list("player", flat=True)[0])
    with beat(tmp_path, "beat"):
        use_everything(season, winner)
        time.sleep(5)
        use_everything(season, winner)

    season.refresh_from_db()
    assert run_of(season).state == Settlement.State.FREEZE
    assert (season.frozen_at, amounts(season)) == (None, [])


def test_two_beats_and_a_killed_worker_end_right(season: Campaign, tmp_path: Path) -> None:
    with beat(tmp_path, "beat-1"), beat(tmp_path, "beat-2"):
        with worker(tmp_path) as doomed:
            eventually(lambda: run_of(season).state != Settlement.State.FREEZE)
            os.killpg(doomed.pid, signal.SIGKILL)
            doomed.wait()
        with worker(tmp_path):
            eventually(lambda: run_of(season).state == Settlement.State.DONE)

    assert amounts(season) == [2000, 2000, 2001, 2001, 2001]
    entries = LedgerEntry.objects.filter(business_key__startswith=f"payout:{run_of(season).pool_id}:")
    assert sorted(entries.values_list("amount_fen", flat=True)) == amounts(season)
    winners = Payout.objects.filter(pool__campaign=season).values("player")
    assert sorted(Wallet.objects.filter(player__in=winners).values_list("balance_fen", flat=True)) == amounts(season)
