"""What the database did for a request: every statement with the plan that it ran by, those inside functions too.

auto_explain, which comes with PostgreSQL, sends the plans as notices to whoever asked; nothing is asked twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.db import connection
from psycopg import sql

from config.local.roles import APP

OFF, ALL = "-1", "0"
SETTINGS = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": OFF,
    "auto_explain.log_analyze": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_format": "json",
    "auto_explain.log_level": "notice",
}
# What a statement may read and throw away.
MAY_SKIP = 200
TRANSACTIONAL = re.compile(r"(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET)\b", re.IGNORECASE)


def prepare(admin_url: str, database: str) -> None:
    """Let the application's role have its plans told, from the next connection to this database on.

    Needs a superuser.
    """
    with psycopg.connect(admin_url, autocommit=True) as admin:
        # Loaded, so that its settings are known by name.
        admin.execute("LOAD 'auto_explain'")
        for name, value in SETTINGS.items():
            statement = "ALTER DATABASE {} SET {} = {}"
            admin.execute(sql.SQL(statement).format(sql.Identifier(database), sql.SQL(name), value))
        admin.execute(sql.SQL("GRANT SET ON PARAMETER auto_explain.log_min_duration TO {}").format(sql.Identifier(APP)))


@dataclass
class Seen:
    """The statements that were sent, and the plans of all that ran."""

    sent: list[str] = field(default_factory=list)
    plans: list[dict[str, Any]] = field(default_factory=list)

    def reading_too_much(self, growing: set[str], *, may_skip: int = MAY_SKIP) -> list[str]:
        """What read a growing table from one end to the other, or passed over most of what it read."""
        return [
            f"{node['Node Type']} on {node['Relation Name']}, {node.get('Rows Removed by Filter', 0)} removed: "
            f"{plan['Query Text']}"
            for plan in self.plans
            for node in _nodes(plan["Plan"])
            if node.get("Relation Name") in growing
            and (node["Node Type"] == "Seq Scan" or node.get("Rows Removed by Filter", 0) > may_skip)
        ]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


@contextmanager
def watching(*, generic: bool = False) -> Iterator[Seen]:
    """What this connection does meanwhile. `generic` plans are those that functions keep from their sixth call on."""
    seen = Seen()

    def told(diagnostic: psycopg.errors.Diagnostic) -> None:
        message = diagnostic.message_primary or ""
        if "plan:\n" in message:
            seen.plans.append(json.loads(message.partition("plan:\n")[2]))

    def sent(execute: Any, statement: Any, *args: Any) -> Any:
        if not TRANSACTIONAL.match(statement):
            seen.sent.append(statement)
        return execute(statement, *args)

    _set("plan_cache_mode", "force_generic_plan" if generic else "auto")
    connection.connection.add_notice_handler(told)
    _set("auto_explain.log_min_duration", ALL)
    try:
        with connection.execute_wrapper(sent):
            yield seen
    finally:
        _set("auto_explain.log_min_duration", OFF)
        connection.connection.remove_notice_handler(told)


def _set(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, false)", [name, value])
