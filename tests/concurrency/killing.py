"""Workers that are killed: their connection is cut at every moment of their work, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection


class Killed(BaseException):
    """The worker's process is gone: nothing in it catches this."""


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, moment: int) -> Iterator[Callable[[], int]]:
    """Cut this thread's connection at that moment; moments are before each statement, and around each COMMIT."""
    moments, seen = count(1), 0
    execute, commit = psycopg.Cursor.execute, psycopg.Connection.commit

    def pass_moment(victim: psycopg.Connection) -> None:
        nonlocal seen
        if seen == moment:
            # What is left is tidied up.
            return
        seen = next(moments)
        if seen == moment:
            victim.pgconn.finish()
            raise Killed

    def executing(cursor: psycopg.Cursor, *args: Any, **given: Any) -> Any:
        pass_moment(cursor.connection)
        return execute(cursor, *args, **given)

    def committing(victim: psycopg.Connection) -> None:
        pass_moment(victim)
        commit(victim)
        pass_moment(victim)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", executing)
        patch.setattr(psycopg.Connection, "commit", committing)
        try:
            yield lambda: seen
        except (Killed, OperationalError):
            # Django, tidying up, finds the connection gone.
            assert seen == moment
            connection.close()
