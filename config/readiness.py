"""/readyz: whether this process should be sent requests, and what is wrong where.

It is asked on a thread of its own, so that it is answered while all others are busy, and its answer is kept for a
second, so that asking is no load. A check that fails makes the process unready (503). A check that is degraded does
not: without Redis, or without workers, players still scan and trade, and taking the web away would help nobody.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from config import durability, heart, problems
from config.handler import Answer
from fortunes import clock, jobs, sql
from fortunes.models import Process

log = logging.getLogger("fortunes.health")

State = Literal["ok", "degraded", "failed"]
Check = tuple[State, str]

OK: Check = ("ok", "")
KEPT_S = 1.0
# For all checks together. Whoever asks meanwhile waits for the same answer.
PATIENCE_S = 3.0
LOW_DISK_BYTES = 1 << 30
# A statement that found the disk full is remembered for so long: the tiny write here may find room where it did not.
DISK_FULL_S = 30.0
TIMEOUTS = "SET LOCAL statement_timeout = '1s'; SET LOCAL lock_timeout = '500ms'"


class Readiness:
    """One a process, on its event loop."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ready")
        self._asking: asyncio.Future[dict[str, Check]] | None = None
        self._answer: Answer | None = None
        self._kept_until = float("-inf")
        self._told: set[str] = set()

    async def answer(self) -> Answer:
        loop = asyncio.get_running_loop()
        if self._answer is not None and loop.time() < self._kept_until:
            return self._answer
        if self._asking is None or self._asking.done():
            self._asking = loop.run_in_executor(self._pool, look)
        try:
            # Shielded: the thread can't be stopped, and the next who asks waits for the rest of the same look.
            checks = await asyncio.wait_for(asyncio.shield(self._asking), PATIENCE_S)
        except TimeoutError:
            checks = {"database": ("failed", f"no answer within {PATIENCE_S:.0f} s")}
        self._tell(checks)
        self._answer, self._kept_until = render(checks), loop.time() + KEPT_S
        return self._answer

    def _tell(self, checks: Mapping[str, Check]) -> None:
        """What has begun to be wrong or is well again, once."""
        wrong = {name for name, (state, _) in checks.items() if state != "ok"}
        for name in wrong - self._told:
            log.warning("readiness: %s is %s: %s", name, *checks[name])
        for name in self._told - wrong:
            log.warning("readiness: %s is well again", name)
        self._told = wrong


def render(checks: Mapping[str, Check]) -> Answer:
    """The answer to /readyz."""
    states = {state for state, _ in checks.values()}
    status = "unready" if "failed" in states else "degraded" if "degraded" in states else "ready"
    shown = {
        name: {"state": state} | ({"detail": detail} if detail else {}) for name, (state, detail) in checks.items()
    }
    body = json.dumps({"status": status, "checks": shown}).encode()
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    headers.append((b"content-length", str(len(body)).encode()))
    if status == "unready":
        headers.append((b"retry-after", b"5"))
    return Answer(503 if status == "unready" else 200, headers, body)


def look() -> dict[str, Check]:
    """All checks, on the calling thread. It raises nothing and tells nothing that is secret."""
    try:
        return {**_database(), "disk": _disk(), "redis": _redis()}
    finally:
        connection.close_if_unusable_or_obsolete()


def _database() -> dict[str, Check]:
    """In this order; what comes after a refusal is unknown."""
    checks: dict[str, Check] = {}
    for name, check in (
        ("database", _write),
        ("durability", _durability),
        ("migrations", _migrations),
        ("jobs", _jobs),
    ):
        try:
            checks[name] = check()
        except (DatabaseError, InterfaceError) as error:
            return checks | {name: ("failed", _refusal(error))}
    return checks


def _write() -> Check:
    """A real one, and small; its row also says that this process lives."""
    with transaction.atomic(durable=True):
        sql.execute(TIMEOUTS)
        jobs.seen(heart.process_name(), Process.Kind.WEB)
    return OK


def _durability() -> Check:
    faults = durability.faults()
    return ("failed", " ".join(faults.values())) if faults else OK


def _refusal(error: Exception) -> str:
    """The database's reason without its words, which may name hosts and users."""
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    return f"refused with SQLSTATE {sqlstate}" if sqlstate else "out of reach"


def _migrations() -> Check:
    missing = _on_disk() - set(MigrationRecorder(connection).applied_migrations())
    return ("failed", f"{len(missing)} migrations are not applied") if missing else OK


_known_migrations: set[tuple[str, str]] = set()


def _on_disk() -> set[tuple[str, str]]:
    if not _known_migrations:
        _known_migrations.update(MigrationLoader(None).disk_migrations or ())
    return _known_migrations


def _jobs() -> Check:
    """The sweepers, which do what is due."""
    seen, now = jobs.last_seen(), clock.now()
    kinds = [kind.value for kind in (Process.Kind.WORKER, Process.Kind.BEAT)]
    silent = [f"no {kind} gives signs of life" for kind in kinds if not jobs.is_recent(seen.get(kind), now=now)]
    stuck = [f"{job.name} is stuck" for job in jobs.stuck()]
    return ("degraded", ", ".join([*silent, *stuck])) if silent or stuck else OK


def _disk() -> Check:
    """The disk of the database where it is this host's; of a remote one only its refusals are seen."""
    ago = time.monotonic() - problems.disk_full_at()
    if ago < DISK_FULL_S:
        return ("failed", f"the database found its disk full {ago:.0f} s ago")
    if not settings.DATABASE_DISK:
        return OK
    try:
        free = shutil.disk_usage(settings.DATABASE_DISK).free
    except OSError as error:
        return ("degraded", f"DATABASE_DISK can't be looked at: {os.strerror(error.errno or 0)}")
    return ("degraded", f"{free >> 20} MiB are free") if free < LOW_DISK_BYTES else OK


def _redis() -> Check:
    try:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)
        with client:
            client.ping()
    except (redis.RedisError, OSError) as error:
        return ("degraded", f"{type(error).__name__}: sockets poll, nothing is throttled, jobs wait")
    return OK
