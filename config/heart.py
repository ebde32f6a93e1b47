"""Signs of life: every few seconds each process says in the database that it is there; beat also what it rang for.

A thread of its own does it, so that a slow database holds up neither beat nor a worker. The hearts of beat and worker
also look after the jobs: when one is stuck, that is told at level CRITICAL, even if it's the other kind that is gone.
"""

from __future__ import annotations

import logging
import os
import platform
import threading
import time
from collections.abc import Mapping
from typing import NoReturn

from django.db import DatabaseError, InterfaceError, connections

from fortunes import describing, jobs
from fortunes.models import Process

log = logging.getLogger("fortunes.health")

BEAT_S = 3.0
# When the whole house comes back after a rest, its jobs get a moment before they are called stuck.
FIRST_LOOK_S = 30.0
TELL_AGAIN_S = 300.0


def process_name() -> str:
    """How this process is called among the signs of life."""
    return f"{platform.node()}:{os.getpid()}"[:120]


class Heart:
    """One a process. Only the thread that `run` is called on touches the database."""

    def __init__(self, kind: Process.Kind, schedule: Mapping[str, float] | None = None) -> None:
        self._kind = kind
        self._schedule = schedule
        self._rung: dict[str, float] = {}
        self._guard = threading.Lock()
        self._told: dict[str, float] = {}
        self._begun = time.monotonic()
        self._complained = False

    def rung(self, name: str) -> None:
        """Beat rang for a job just now."""
        with self._guard:
            self._rung[name] = time.monotonic()

    def run(self) -> NoReturn:
        while True:
            self.beat()
            time.sleep(BEAT_S)

    def beat(self) -> None:
        try:
            self._beat()
            self._complained = False
        except (DatabaseError, InterfaceError) as error:
            if not self._complained:
                log.warning("no sign of life can be given: %s", describing.of(error))
            self._complained = True
        finally:
            # Nobody who forks meanwhile inherits an open connection, and a broken one is not met again.
            connections.close_all()

    def _beat(self) -> None:
        jobs.seen(process_name(), self._kind)
        if self._schedule is not None:
            jobs.register(self._schedule)
            # Only once: a second beat with a newer schedule must have the last word.
            self._schedule = None
        with self._guard:
            rung, self._rung = self._rung, {}
        if rung:
            now = time.monotonic()
            jobs.rung({name: now - at for name, at in sorted(rung.items())})
        if self._kind != Process.Kind.WEB and time.monotonic() - self._begun >= FIRST_LOOK_S:
            self._look_after_jobs()

    def _look_after_jobs(self) -> None:
        now = time.monotonic()
        conditions = {condition.job.name: condition for condition in jobs.conditions() if condition.stuck}
        for name in self._told.keys() - conditions.keys():
            del self._told[name]
            log.warning("job %s is not stuck any more", name)
        for name, condition in conditions.items():
            if now - self._told.get(name, -TELL_AGAIN_S) >= TELL_AGAIN_S:
                self._told[name] = now
                age = condition.age.total_seconds()
                log.critical(
                    "job %s is stuck: not done for %.0f s, %s", name, age, condition.job.last_error or "no error"
                )


_heart: Heart | None = None


def start(kind: Process.Kind, schedule: Mapping[str, float] | None = None) -> None:
    """Begin this process's heartbeat, for as long as it lives."""
    global _heart
    _heart = Heart(kind, schedule)
    threading.Thread(target=_heart.run, name="heart", daemon=True).start()


def rung(name: str) -> None:
    """Beat rang for a job just now; the heart tells at its next beat."""
    if _heart is not None:
        _heart.rung(name)
