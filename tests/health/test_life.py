"""Signs of life and the state of jobs, written by real workers and beats."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from config import heart, readiness
from config.celery import intervals
from fortunes import clock as database_clock
from fortunes import jobs
from fortunes.models import Job, Process
from tests.factories.accounts import PlayerFactory
from tests.health import system
from tests.plugins.clock import Clock

pytestmark = [pytest.mark.committed, pytest.mark.slow]

KEYS = "fortunes.tasks.forget_old_keys"
FAILING = """
CREATE FUNCTION refuse_for_a_test() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE unique_violation USING DETAIL = 'Key (nickname)=(swordfish) exists.'; END $$;
CREATE TRIGGER refuse_for_a_test BEFORE DELETE ON fortunes_idempotencykey
FOR EACH STATEMENT EXECUTE FUNCTION refuse_for_a_test()
"""
MENDED = "DROP FUNCTION refuse_for_a_test CASCADE"


@pytest.fixture
def no_rows(committed_db: None) -> Iterator[None]:
    """Nothing is known at first, and nothing of this test afterwards."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    Job.objects.all().delete()
    Process.objects.exclude(kind=Process.Kind.WEB).delete()


def test_from_ring_to_end_with_a_failure_between(
    no_rows: None, tmp_path: Path, owner_connection: psycopg.Connection
) -> None:
    with system.beat(tmp_path / "beat.log"):
        system.eventually(lambda: jobs.is_alive(Process.Kind.BEAT))
        system.eventually(lambda: Job.objects.filter(interval_s__isnull=False).count() == len(intervals()))
        system.eventually(lambda: Job.objects.exclude(rung_at=None).exists())
        assert not Job.objects.exclude(started_at=None).exists()
        assert not jobs.is_alive(Process.Kind.WORKER)

        owner_connection.execute(FAILING)
        try:
            with system.worker(tmp_path / "worker.log"):
                system.eventually(lambda: jobs.is_alive(Process.Kind.WORKER))
                often = [name for name, interval in intervals().items() if interval <= 5]
                system.eventually(lambda: Job.objects.filter(name__in=often, finished_at=None).count() == 0)

                jobs.run_again(name=KEYS, by=PlayerFactory.create().pk)
                system.eventually(lambda: Job.objects.filter(pk=KEYS, failures=1).exists())
                told = Job.objects.get(pk=KEYS).last_error
                assert told.startswith("IntegrityError [23505]")
                assert "swordfish" not in told

                owner_connection.execute(MENDED)
                jobs.run_again(name=KEYS, by=PlayerFactory.create().pk)
                system.eventually(lambda: Job.objects.get(pk=KEYS).failures == 0)
                assert readiness.look()["jobs"] == readiness.OK
        finally:
            owner_connection.execute("DROP FUNCTION IF EXISTS refuse_for_a_test CASCADE")
    log = (tmp_path / "worker.log").read_text()
    assert "a job has failed" in log
    assert "swordfish" not in log


def test_a_killed_worker_falls_silent(no_rows: None, tmp_path: Path, clock: Clock) -> None:
    with system.worker(tmp_path / "worker.log") as worker:
        system.eventually(lambda: jobs.is_alive(Process.Kind.WORKER))
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        clock.shift(jobs.SILENCE + timedelta(seconds=5))
        assert not jobs.is_alive(Process.Kind.WORKER)


def test_rows_that_cannot_be_written_stop_no_job(
    no_rows: None, tmp_path: Path, owner_connection: psycopg.Connection
) -> None:
    owner_connection.execute("ALTER TABLE fortunes_job RENAME TO hidden_for_a_test")
    try:
        with system.worker(tmp_path / "worker.log", LOG_LEVEL="DEBUG"), system.beat(tmp_path / "beat.log"):
            done = "redpackets.tasks.settle_due"
            log = tmp_path / "worker.log"
            system.eventually(lambda: f"row of job {done} can't be written" in log.read_text())
            system.eventually(lambda: log.read_text().count("a job is done") >= 3)
            assert "a job has failed" not in log.read_text()
            system.eventually(lambda: "no sign of life" in (tmp_path / "beat.log").read_text())
    finally:
        owner_connection.execute("ALTER TABLE hidden_for_a_test RENAME TO fortunes_job")


class TestTheHeart:
    def test_tells_that_a_job_is_stuck_once_and_that_it_is_not_any_more(
        self, no_rows: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(heart, "FIRST_LOOK_S", 0)
        beating = heart.Heart(Process.Kind.WORKER)
        long_ago = database_clock.now() - timedelta(hours=1)
        Job.objects.create(name=KEYS, interval_s=300, known_since=long_ago)
        for _ in range(3):
            beating.beat()
        assert [record.levelname for record in caplog.records] == ["CRITICAL"]
        assert caplog.messages[0].startswith(f"job {KEYS} is stuck: not done for 36")

        monkeypatch.setattr(heart, "TELL_AGAIN_S", 0)
        beating.beat()
        assert len(caplog.messages) == 2

        jobs.ran(KEYS)
        beating.beat()
        assert caplog.messages[2:] == [f"job {KEYS} is not stuck any more"]

    def test_outlives_its_database(
        self, no_rows: None, caplog: pytest.LogCaptureFixture, owner_connection: psycopg.Connection
    ) -> None:
        beating = heart.Heart(Process.Kind.BEAT, intervals())
        beating.rung(KEYS)
        owner_connection.execute("ALTER TABLE fortunes_process RENAME TO hidden_for_a_test")
        try:
            beating.beat()
            beating.beat()
        finally:
            owner_connection.execute("ALTER TABLE hidden_for_a_test RENAME TO fortunes_process")
        assert len(caplog.messages) == 1
        beating.beat()
        assert jobs.is_alive(Process.Kind.BEAT)
        assert Job.objects.count() == len(intervals())
        assert Job.objects.get(pk=KEYS).rung_at
