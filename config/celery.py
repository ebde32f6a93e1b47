"""Celery: beat rings every few seconds, workers look for due work in the database.

The schedule is static. A message that is older than its interval is worth nothing, so it expires; every task may be
doubled or lost without harm. How jobs and processes are doing is noted beside the work (fortunes/jobs.py).
"""

from __future__ import annotations

import logging
import logging.config
import os
from collections.abc import Callable
from typing import Any

from celery import Celery, Task, signals
from celery.exceptions import OperationalError
from django.conf import settings
from django.db import DatabaseError, InterfaceError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

log = logging.getLogger("fortunes.jobs")


def every(seconds: float, task: str) -> dict:
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


app = Celery("fortunes")
app.conf.update(settings.CELERY)
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "commit to pools": every(5, "redpackets.tasks.commit_due"),
    "settle": every(2, "redpackets.tasks.settle_due"),
    "credit": every(5, "redpackets.tasks.credit_due"),
    "pay conversions": every(2, "redpackets.tasks.pay_conversions"),
    # No share is counted so often: each says itself when its next count is due.
    "count shares": every(2, "redpackets.tasks.count_due"),
    "release stock": every(5, "cards.tasks.release_stock"),
    "count draws": every(5, "cards.tasks.count_draws"),
    "credit invitations": every(5, "cards.tasks.credit_invitations"),
    "expire trades": every(2, "cards.tasks.expire_trades"),
    # Somebody waits for their code.
    "send messages": every(1, "accounts.tasks.send_messages"),
    # Somebody's phone sleeps.
    "send pushes": every(1, "accounts.tasks.send_pushes"),
    "publish announcements": every(1, "fortunes.tasks.publish_announcements"),
    "forget old sign-ins": every(300, "accounts.tasks.forget_old_sign_ins"),
    # An announced change is in force a moment after its date.
    "change rules": every(1, "fortunes.tasks.change_rules"),
    # What a version of the rules promised is kept before long, and before the freeze.
    "follow rules": every(1, "cards.tasks.follow_rules"),
    # A vote is decided a moment after its last ballot.
    "close votes": every(1, "fortunes.tasks.close_votes"),
    "publish the audit's head": every(60, "fortunes.tasks.publish_audit_head"),
    "forget old keys": every(300, "fortunes.tasks.forget_old_keys"),
}


def intervals() -> dict[str, float]:
    """The schedule: how often each task is rung for, in seconds."""
    return {entry["task"]: float(entry["schedule"]) for entry in app.conf.beat_schedule.values()}


def start(name: str) -> None:
    """Ring for a task of the schedule now, in beat's place; `settings.JOB_STARTER`. Raises Busy while Redis is away."""
    from fortunes.errors import Busy

    try:
        app.send_task(name, expires=max(30.0, intervals()[name]))
    except OperationalError as error:
        raise Busy(retry_after_s=5) from error


@signals.setup_logging.connect
def _log_as_everybody_does(**_: Any) -> None:
    """In place of Celery's own set-up, whose lines would be of another kind."""
    logging.config.dictConfig(settings.LOGGING)
    logging.captureWarnings(True)


@signals.beat_init.connect
def _beat_begins(**_: Any) -> None:
    from config import heart
    from fortunes.models import Process

    _refuse_unsafe_database()
    signals.after_task_publish.connect(_rung)
    heart.start(Process.Kind.BEAT, schedule=intervals())


@signals.worker_init.connect
def _worker_begins(**_: Any) -> None:
    _refuse_unsafe_database()


@signals.worker_ready.connect
def _worker_is_ready(**_: Any) -> None:
    from config import heart
    from fortunes.models import Process

    heart.start(Process.Kind.WORKER)


def _refuse_unsafe_database() -> None:
    from config import durability

    # SystemExit, because Celery only logs other exceptions of a signal's receiver and goes on.
    if reasons := durability.reasons_not_to_start():
        raise SystemExit("\n".join(reasons))


def _rung(sender: str, **_: Any) -> None:
    from config import heart

    heart.rung(sender)


@signals.task_prerun.connect
def _task_begins(task: Task, **_: Any) -> None:
    from fortunes import jobs

    _note(task.name, lambda: jobs.started(task.name))


@signals.task_success.connect
def _task_is_done(sender: Task, **_: Any) -> None:
    from fortunes import jobs

    log.debug("a job is done", extra={"job": sender.name})
    _note(sender.name, lambda: jobs.ran(sender.name))


@signals.task_failure.connect
def _task_has_failed(sender: Task, exception: BaseException, **_: Any) -> None:
    from fortunes import jobs

    # Celery's own line about it quotes the error's words (settings.LOGGING).
    log.error("a job has failed", exc_info=exception, extra={"job": sender.name})
    _note(sender.name, lambda: jobs.failed(sender.name, exception))


def _note(name: str, write: Callable[[], None]) -> None:
    """News of a job. The job itself must not suffer when they can't be written."""
    if name not in intervals():
        return
    try:
        write()
    except (DatabaseError, InterfaceError) as error:
        log.warning("the row of job %s can't be written: %s", name, type(error).__name__)
