"""Notes which of the project's SQL statements ran and which statuses they answered, for `./dev test --coverage`.

Only in the suite's own processes: what servers do that a test starts isn't seen.
"""

from __future__ import annotations

import json
import os
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from fortunes import sql

UNTRACED = {"api", "browser", "demo", "health", "house"}
APPS = ("fortunes", "accounts", "cards", "redpackets")


class Seen:
    def __init__(self) -> None:
        self.statuses: dict[str, set[str]] = {}
        self._names = {
            file.read_text(encoding="utf-8"): f"{app}/{file.name.removesuffix('.sql')}"
            for app in APPS
            for file in resources.files(app).joinpath("sql").iterdir()
            if file.name.endswith(".sql")
        }
        self._fetch, self._fetch_often, self._execute = sql.fetch, sql.fetch_often, sql.execute

    def fetch(self, statement: str, params: dict | None = None) -> list:
        rows = self._fetch(statement, params)
        self._note(statement, rows)
        return rows

    def fetch_often(self, statement: str, params: dict | None = None) -> list:
        rows = self._fetch_often(statement, params)
        self._note(statement, rows)
        return rows

    def execute(self, statement: str, params: dict | None = None) -> int:
        changed = self._execute(statement, params)
        self._note(statement, [])
        return changed

    def _note(self, statement: str, rows: list[Any]) -> None:
        if name := self._names.get(statement):
            self.statuses.setdefault(name, set()).update(row.status for row in rows if hasattr(row, "status"))


def pytest_configure(config: pytest.Config) -> None:
    seen = Seen()
    # Callers say `sql.fetch`, so that this is where all of them pass; `fetch_alone` goes on to `fetch_often`.
    sql.fetch, sql.fetch_often, sql.execute = seen.fetch, seen.fetch_often, seen.execute
    config.add_cleanup(lambda: _write(seen))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Not traced, which takes minutes: slow tests, which do the same often, and folders about what isn't judged."""
    for item in items:
        if item.get_closest_marker("slow") or item.path.parent.name in UNTRACED:
            item.add_marker("no_cover")


def _write(seen: Seen) -> None:
    folder = Path(os.environ["FORTUNES_SEEN"])
    folder.mkdir(parents=True, exist_ok=True)
    words = {name: sorted(statuses) for name, statuses in seen.statuses.items()}
    (folder / f"{os.getpid()}.json").write_text(json.dumps(words))
