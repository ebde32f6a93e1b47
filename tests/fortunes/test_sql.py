"""Statements of our own on Django's connection."""

from __future__ import annotations

import psycopg
import pytest
from django.db import NotSupportedError, OperationalError, close_old_connections, connection, transaction

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


def replace_answer(owner: psycopg.Connection, columns: str) -> None:
    owner.execute("DROP FUNCTION IF EXISTS test_answer()")
    owner.execute(
        f"CREATE FUNCTION test_answer() RETURNS TABLE ({columns}) LANGUAGE sql AS 'SELECT 1, 2' STABLE".encode()
    )


@pytest.mark.committed
def test_a_statement_that_was_planned_before_a_migration_is_planned_anew(owner_connection: psycopg.Connection) -> None:
    ask = "SELECT * FROM test_answer()"
    try:
        replace_answer(owner_connection, "one integer, two integer")
        for _ in range(10):
            assert sql.fetch_often(ask)[0] == (1, 2)
        with transaction.atomic():
            replace_answer(owner_connection, "one integer, two bigint")
            # There is no second try in a transaction: what came before it would be lost.
            with pytest.raises(NotSupportedError), transaction.atomic():
                sql.fetch_often(ask)
        for _ in range(10):
            assert sql.fetch_often(ask)[0] == (1, 2)
        older = connection.connection
        replace_answer(owner_connection, "one bigint, two bigint")
        assert sql.fetch_often(ask)[0] == (1, 2)
        assert connection.connection is not older
    finally:
        owner_connection.execute("DROP FUNCTION test_answer()")
