"""What is known of the jobs: rung for, begun, done, failed, stuck; and which processes give signs of life."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from config import celery
from fortunes import audit, errors, jobs
from fortunes.models import AuditEntry, Job, Process
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

SETTLE = "redpackets.tasks.settle_due"
KEYS = "fortunes.tasks.forget_old_keys"


@pytest.fixture(autouse=True)
def _nothing_is_known(db: None) -> None:
    """What earlier tests have committed is out of sight."""
    Job.objects.all().delete()
    Process.objects.all().delete()


def job(name: str = SETTLE) -> Any:
    return Job.objects.get(pk=name)


def test_the_schedule_is_what_is_known() -> None:
    jobs.register({SETTLE: 2, "old": 5})
    jobs.ran(SETTLE)
    jobs.register({SETTLE: 4, KEYS: 300})
    assert dict(Job.objects.values_list("name", "interval_s")) == {SETTLE: 4.0, KEYS: 300.0}
    assert job().finished_at


def test_a_run_from_ring_to_end(clock: Clock) -> None:
    jobs.rung({SETTLE: 1.5})
    assert timedelta(seconds=1) < clock.now() - job().rung_at < timedelta(seconds=60)
    jobs.started(SETTLE)
    assert (job().finished_at, job().failures) == (None, 0)
    assert job().started_at > job().rung_at
    jobs.ran(SETTLE)
    assert job().finished_at > job().started_at


def test_an_older_ring_that_is_told_later_is_no_news() -> None:
    jobs.rung({SETTLE: 0})
    newest = job().rung_at
    jobs.rung({SETTLE: 60})
    assert job().rung_at == newest


def test_failures_are_counted_until_a_success() -> None:
    jobs.failed(SETTLE, ValueError("chunk 2 holds 5 cards"))
    jobs.failed(SETTLE, ZeroDivisionError())
    assert (job().failures, job().last_error) == (2, "ZeroDivisionError")
    jobs.ran(SETTLE)
    assert (job().failures, job().last_error) == (0, "")


def test_a_job_is_stuck_after_some_intervals_without_success(clock: Clock) -> None:
    jobs.register({SETTLE: 2, KEYS: 300})
    jobs.ran(SETTLE)
    assert jobs.stuck() == []
    clock.shift(timedelta(seconds=67))
    jobs.started(SETTLE)
    jobs.failed(SETTLE, RuntimeError())
    assert [stuck.name for stuck in jobs.stuck()] == [SETTLE]
    jobs.ran(SETTLE)
    clock.shift(timedelta(minutes=17))
    assert [stuck.name for stuck in jobs.stuck()] == [KEYS, SETTLE]


def test_what_nobody_rings_for_is_never_stuck(clock: Clock) -> None:
    jobs.ran("by hand")
    clock.shift(timedelta(days=1))
    assert jobs.stuck() == []


def test_signs_of_life_and_their_end(clock: Clock) -> None:
    assert not jobs.is_alive(Process.Kind.WORKER)
    jobs.seen("a", Process.Kind.WORKER)
    clock.shift(timedelta(seconds=20))
    jobs.seen("b", Process.Kind.WORKER)
    clock.shift(timedelta(seconds=20))
    assert jobs.is_alive(Process.Kind.WORKER)
    assert not jobs.is_alive(Process.Kind.BEAT)
    assert jobs.last_seen() == {"worker": Process.objects.get(pk="b").seen_at}

    # A number that came to another process.
    jobs.seen("b", Process.Kind.BEAT)
    assert jobs.is_alive(Process.Kind.BEAT)
    clock.shift(timedelta(minutes=59, seconds=30))
    jobs.seen("c", Process.Kind.BEAT)
    assert set(Process.objects.values_list("pk", flat=True)) == {"b", "c"}
    assert not jobs.is_alive(Process.Kind.WORKER)


class TestRunAgain:
    def test_rings_after_the_commit_and_is_audited(
        self, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
    ) -> None:
        alice = PlayerFactory.create()
        rung: list[str] = []
        monkeypatch.setattr(jobs, "_start", lambda: rung.append)
        jobs.register({SETTLE: 2})
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            jobs.run_again(name=SETTLE, by=alice.pk)
            assert rung == []
        assert rung == [SETTLE]
        entry = AuditEntry.objects.get(seq=audit.head()[0])
        assert (entry.actor_id, entry.action, entry.data) == (alice.pk, "job.run_again", {"job": SETTLE})

    def test_while_redis_is_away_it_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        nowhere = celery.app.connection_for_write("redis://127.0.0.1:1/0")
        monkeypatch.setattr(celery.app, "send_task", partial(celery.app.send_task, connection=nowhere, retry=False))
        with pytest.raises(errors.Busy):
            celery.start(SETTLE)

    def test_of_a_job_that_is_not_there(self) -> None:
        jobs.ran("by hand")
        for name in ("by hand", "os.system"):
            with pytest.raises(errors.JobNotFound):
                jobs.run_again(name=name, by=PlayerFactory.create().pk)
