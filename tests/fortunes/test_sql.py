"""Statements of our own on Django's connection."""

from __future__ import annotations

import pytest
from django.db import OperationalError, close_old_connections, connection, transaction

from fortunes import sql


@pytest.mark.committed
def test_a_connection_that_was_cut_is_made_anew_at_the_next_request() -> None:
    (mine,) = sql.fetch("SELECT pg_backend_pid() AS pid")
    with pytest.raises(OperationalError):
        sql.fetch("SELECT pg_terminate_backend(%(pid)s)", {"pid": mine.pid})
    close_old_connections()

    assert sql.fetch("SELECT 1 AS one")[0].one == 1


@pytest.mark.committed
def test_a_statement_that_commits_by_itself_is_no_part_of_a_transaction() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        sql.fetch_alone("SELECT 1")
    assert connection.in_atomic_block is False
