"""Calls that are made at once, for races."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import OperationalError, connection

from fortunes import sql

# For what a slow machine does in its time, too.
PATIENCE_S = 30.0

LOCK_NOT_AVAILABLE = "55P03"

WAITING_FOR_ME = """
SELECT count(*) AS count FROM pg_locks l WHERE NOT l.granted AND pg_backend_pid() = ANY (pg_blocking_pids(l.pid))
"""


def together(*calls: Callable[[], Any]) -> list[Any]:
    """What each call returned or raised, all of them started at once, each on a thread and connection of its own."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            until(_is_connected)
            start.wait(2 * PATIENCE_S)
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(run, call) for call in calls]
    return [future.exception() or future.result() for future in futures]


def _is_connected() -> bool:
    """A machine with a lot to do may let many who connect at once wait for longer than the product does."""
    try:
        connection.ensure_connection()
    except OperationalError:
        return False
    return True


def patiently(call: Callable[[], Any]) -> Any:
    """Call it, and again where a lock was too long in coming, as clients do with a 503. A deadlock is none."""
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            return call()
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) != LOCK_NOT_AVAILABLE or time.monotonic() > ends:
                raise
            time.sleep(0.1)


def until(happened: Callable[[], Any]) -> None:
    """Wait for it, however slow the machine is."""
    ends = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.01)


def until_somebody_waits() -> None:
    """Wait, in a transaction that holds a lock, until another one wants it."""
    until(lambda: sql.fetch(WAITING_FOR_ME)[0].count)
