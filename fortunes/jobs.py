"""How the jobs of beat's schedule are doing, as rows: when they were rung for, begun and done, and what went wrong.

"Is beat alive", "is a worker alive" and "what is stuck" are questions to these rows, for the admin, the metrics and
/readyz alike. Nothing depends on them: due work is found by its own rows, and a job whose row can't be written has run
all the same (config/celery.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Protocol

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Coalesce
from django.utils.module_loading import import_string

from fortunes import audit, clock, describing, errors, sql
from fortunes.models import Job, Process

# A job is stuck when it has had no success for so many of its intervals, and a while: a long batch isn't one.
INTERVALS = 3
WHILE = timedelta(seconds=60)
# Signs of life come every few seconds (config/heart.py).
SILENCE = timedelta(seconds=30)


class Start(Protocol):
    """Ring for a job now, in beat's place. `settings.JOB_STARTER` names one."""

    def __call__(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Condition:
    """A job with its age, the time since it was last done, and the age from which on it is stuck."""

    job: Job
    age: timedelta
    limit: timedelta | None

    @property
    def stuck(self) -> bool:
        return self.limit is not None and self.age > self.limit


def register(schedule: Mapping[str, float]) -> None:
    """Note beat's schedule, names and intervals in seconds; jobs that aren't in it any more are forgotten."""
    sql.execute(
        sql.text("fortunes", "job_registered"),
        {"names": list(schedule), "intervals": list(map(float, schedule.values()))},
    )


def rung(ago_s: Mapping[str, float]) -> None:
    """Beat rang for these so many seconds ago."""
    sql.execute(sql.text("fortunes", "job_rung"), {"names": list(ago_s), "ago_s": list(ago_s.values())})


def started(name: str) -> None:
    sql.execute(sql.text("fortunes", "job_started"), {"name": name})


def ran(name: str) -> None:
    """The job has ended well."""
    sql.execute(sql.text("fortunes", "job_done"), {"name": name})


def failed(name: str, error: BaseException) -> None:
    sql.execute(sql.text("fortunes", "job_failed"), {"name": name, "error": describing.of(error)})


def seen(name: str, kind: Process.Kind) -> None:
    """A process gives a sign of life."""
    sql.execute(sql.text("fortunes", "process_seen"), {"name": name, "kind": str(kind)})


def last_seen() -> dict[str, datetime]:
    """The last sign of life of each kind of process that gave one."""
    rows = Process.objects.values("kind").annotate(at=Max("seen_at"))
    return dict(rows.values_list("kind", "at"))


def is_alive(kind: Process.Kind) -> bool:
    """Whether a process of this kind gave a sign of life lately."""
    return is_recent(last_seen().get(kind), now=clock.now())


def is_recent(at: datetime | None, *, now: datetime) -> bool:
    """Whether a sign of life is so fresh that its process is alive."""
    return at is not None and now - at <= SILENCE


def conditions() -> list[Condition]:
    """Every job of the schedule, by name."""
    now = clock.now()
    jobs = Job.objects.filter(interval_s__isnull=False).annotate(well_at=Coalesce("finished_at", "known_since"))
    return [Condition(job, now - job.well_at, limit_of(job)) for job in jobs.order_by("name")]


def stuck() -> list[Job]:
    """The jobs that have had no success for too long."""
    return [condition.job for condition in conditions() if condition.stuck]


def limit_of(job: Job) -> timedelta | None:
    """The age from which on a job is stuck; None for one that nobody rings for."""
    return None if job.interval_s is None else INTERVALS * timedelta(seconds=job.interval_s) + WHILE


def run_again(*, name: str, by: int) -> None:
    """Ring for a job now; `by` is the player's id of a member of staff. Raises JobNotFound or Busy."""
    with transaction.atomic(durable=True):
        if not Job.objects.filter(name=name, interval_s__isnull=False).exists():
            raise errors.JobNotFound
        transaction.on_commit(lambda: _start()(name))
        audit.record(actor=by, action="job.run_again", subject="fortunes.job", subject_id=None, job=name)


@cache
def _start() -> Start:
    start: Start = import_string(settings.JOB_STARTER)
    return start
