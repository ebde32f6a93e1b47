"""SQL that the ORM can't say, kept in files: named statements and functions that migrations install.

`<app>/sql/<name>.sql` is a statement, `<app>/sql/functions/<name>.sql` a function, `<app>/sql/invariants/<name>.sql` a
query that must return no row. A function that changes gets a new file, so that old migrations stay what they were.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import psycopg
from django.db import NotSupportedError, connection, migrations
from psycopg.rows import namedtuple_row


@cache
def text(app: str, name: str) -> str:
    """The text of `<app>/sql/<name>.sql`."""
    return resources.files(app).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def fetch(statement: str, params: dict | None = None) -> list:
    """The rows of `statement` as named tuples, on the current connection and in its transaction."""
    _connect()
    with connection.connection.cursor(row_factory=namedtuple_row) as cursor, connection.wrap_database_errors:
        rows: list = cursor.execute(statement, params).fetchall()
        return rows


def fetch_alone(statement: str, params: dict | None = None) -> list:
    """The rows of a statement that is a durable transaction of its own, committed within the same round trip.

    For the hot verbs, whose locks would otherwise be held while the client is told the answer and says COMMIT.
    """
    if connection.in_atomic_block and not connection.atomic_blocks[-1]._from_testcase:  # type: ignore[attr-defined]
        raise RuntimeError("this statement commits by itself: it can't be part of a transaction")
    return fetch_often(statement, params)


def fetch_often(statement: str, params: dict | None = None) -> list:
    """Like `fetch`, for statements of every second: PostgreSQL parses and plans them once a connection.

    Its parameters are told apart from the text, so each needs a type that the statement shows.
    """
    _connect()
    try:
        return _fetch_prepared(statement, params)
    except NotSupportedError:
        if connection.in_atomic_block:
            raise
        # A migration has changed what comes back ("cached plan must not change result type"), and has not been noticed
        # by a connection that is older. The statement has done nothing; a new connection plans it anew.
        connection.close()
        _connect()
        return _fetch_prepared(statement, params)


def _fetch_prepared(statement: str, params: dict | None) -> list:
    with psycopg.Cursor(connection.connection, row_factory=namedtuple_row) as cursor, connection.wrap_database_errors:
        rows: list = cursor.execute(statement, params).fetchall()
        return rows


def execute(statement: str, params: dict | None = None) -> int:
    """Run `statement`, on the current connection and in its transaction; the number of rows it changed."""
    _connect()
    with connection.connection.cursor() as cursor, connection.wrap_database_errors:
        changed: int = cursor.execute(statement, params).rowcount
        return changed


def _connect() -> None:
    """As Django's own cursors do: a connection that broke since the last request is noticed and made anew."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()


def install_function(app: str, name: str, signature: str) -> migrations.RunSQL:
    """A reversible migration operation that installs `<app>/sql/functions/<name>.sql`.

    `signature` is what DROP FUNCTION needs, as in `"fortunes_clock()"`.
    """
    return migrations.RunSQL(text(app, f"functions/{name}"), f"DROP FUNCTION {signature}")


def append_only(table: str) -> migrations.RunSQL:
    """A reversible migration operation that takes UPDATE, DELETE and TRUNCATE on `table` from fortunes_app."""
    return migrations.RunSQL(
        f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM fortunes_app",
        f"GRANT UPDATE, DELETE ON {table} TO fortunes_app",
    )


def only_update(table: str, *columns: str) -> migrations.RunSQL:
    """A reversible migration operation after which fortunes_app may update no other columns of `table`."""
    written = ", ".join(columns)
    return migrations.RunSQL(
        [f"REVOKE UPDATE ON {table} FROM fortunes_app", f"GRANT UPDATE ({written}) ON {table} TO fortunes_app"],
        [f"REVOKE UPDATE ({written}) ON {table} FROM fortunes_app", f"GRANT UPDATE ON {table} TO fortunes_app"],
    )
