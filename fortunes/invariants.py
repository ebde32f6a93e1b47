"""Invariants: queries that return no row, one file each in `<app>/sql/invariants/`.

A query reads one snapshot, so it may run while the season is live. It fails closed: a query that can't run is an error,
not an absence of violations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

from django.apps import apps
from django.db import transaction

from fortunes import sql

APPS = ("fortunes", "accounts", "cards", "redpackets")
MOST_ROWS = 20
TIMEOUT = "10min"


@dataclass(frozen=True, slots=True)
class Invariant:
    name: str
    query: str


def every() -> Iterator[Invariant]:
    """The invariants of the installed apps, the ground first."""
    for app in APPS:
        folder = resources.files(apps.get_app_config(app).name).joinpath("sql", "invariants")
        for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if file.name.endswith(".sql"):
                yield Invariant(f"{app}/{file.name.removesuffix('.sql')}", file.read_text(encoding="utf-8"))


def violations(invariant: Invariant) -> list[tuple]:
    """At most 20 rows that break the invariant, from one REPEATABLE READ, READ ONLY snapshot."""
    with transaction.atomic(durable=True):
        sql.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        sql.execute(f"SET LOCAL statement_timeout = '{TIMEOUT}'")
        query = f"SELECT * FROM ({invariant.query}) AS violation LIMIT {MOST_ROWS}"  # noqa: S608 - our own files
        return [tuple(row) for row in sql.fetch(query)]
