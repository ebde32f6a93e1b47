"""The database's clock, moved for a test."""

from datetime import datetime, timedelta

import psycopg
from django.db import connection
from psycopg import sql

from fortunes import clock

SHIFTED = """
CREATE OR REPLACE FUNCTION fortunes_clock() RETURNS timestamptz LANGUAGE sql VOLATILE
AS $$ SELECT clock_timestamp() + interval {} $$
"""


class Clock:
    """Moves `fortunes_clock()` for every connection at once, open ones too. Time goes on from where it's put."""

    def __init__(self, owner: psycopg.Connection) -> None:
        self._owner = owner
        row = owner.execute("SELECT pg_get_functiondef('fortunes_clock()'::regprocedure)").fetchone()
        if row is None:
            raise LookupError("the database has no fortunes_clock()")
        self._original: bytes = row[0].encode()
        self._by = timedelta()

    def now(self) -> datetime:
        row = self._owner.execute("SELECT fortunes_clock()").fetchone()
        if row is None:
            raise LookupError("fortunes_clock() gave no time")
        moment: datetime = row[0]
        return moment

    def shift(self, by: timedelta) -> None:
        """Further by this much; negative goes back."""
        self._by += by
        literal = f"{self._by.total_seconds()} seconds"
        self._replace(sql.SQL(SHIFTED).format(literal))

    def move_to(self, moment: datetime) -> None:
        self.shift(moment - self.now())

    def restore(self) -> None:
        self._by = timedelta()
        self._replace(self._original)

    def _replace(self, definition: sql.Composed | bytes) -> None:
        self._owner.execute(definition)
        clock.forget()
        if connection.in_atomic_block:
            # Within a transaction a server process hears of a new definition only when it locks a relation that it
            # hasn't locked yet. This locks one and lets it go.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_relation_size('pg_catalog.pg_ts_parser')")
