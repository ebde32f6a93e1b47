"""A connection that the server has ended is noticed before it is used, without asking the server."""

from __future__ import annotations

import select
from typing import Any

import psycopg
import pytest
from django.db import connection

pytestmark = pytest.mark.committed


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def same_role() -> psycopg.Connection:
    """Another connection of the application: a role may see and end its own."""
    return psycopg.connect(connection.connection.info.dsn, password=connection.settings_dict["PASSWORD"])


def test_an_open_connection_is_usable_and_nobody_is_asked() -> None:
    pid = backend()
    assert connection.is_usable()
    with same_role() as other:
        asked = other.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone()
    assert asked == ("SELECT pg_backend_pid()",)


def test_one_that_the_server_has_ended_is_not() -> None:
    pid = backend()
    wrapper: Any = connection
    wrapper.health_check_enabled, wrapper.health_check_done = True, False
    with connection.cursor() as cursor:
        # As in a request: the connection is looked at once, before its first statement.
        cursor.execute("SELECT 1")
    with same_role() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    # At the first look, which finds the server's last words before the end itself.
    assert select.select([connection.connection.fileno()], [], [], 20)[0]
    assert not connection.is_usable()

    wrapper.health_check_done = False
    assert backend() != pid


def test_a_notice_that_came_unasked_is_no_end(owner_connection: psycopg.Connection) -> None:
    backend()
    connection.connection.execute("LISTEN unasked")
    owner_connection.execute("NOTIFY unasked")
    assert select.select([connection.connection.fileno()], [], [], 20)[0]
    assert connection.is_usable()
    assert backend()
    connection.connection.execute("UNLISTEN *")
