"""What the database must be set to before anything is acknowledged to a player.

A server that says "committed" before it has written loses what it said in a crash: measured, 102 of 85,232 answers.
So web, worker and beat don't start on one, /readyz is unready on one, and `manage.py check --database default` tells.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, InterfaceError, connections

from fortunes import describing, sql

log = logging.getLogger("fortunes.health")

OLDEST_VERSION = 150_000
# Values that acknowledge a commit only when it is on disk here, and on the standbys if there are any.
DURABLE = frozenset({"on", "remote_write", "remote_apply"})

SETTINGS = """
SELECT current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('fsync') AS fsync,
       current_setting('server_version_num')::int AS version
"""


def faults() -> dict[str, str]:
    """What is wrong with the server's settings as this role has them, by the setting's name. One round trip."""
    found = sql.fetch(SETTINGS)[0]
    wrong = {}
    if found.synchronous_commit not in DURABLE:
        wrong["synchronous_commit"] = (
            f"synchronous_commit is {found.synchronous_commit}: the database acknowledges commits that a crash would "
            "lose. Set it to on, for the server, the database and the role (docs/operations.md)."
        )
    if found.fsync != "on":
        wrong["fsync"] = "fsync is off: a crash of the database's host would destroy its data. Set it to on."
    if found.version < OLDEST_VERSION:
        wrong["version"] = f"PostgreSQL {found.version // 10_000} is too old: 15 or newer is needed."
    return wrong


def reasons_not_to_start() -> list[str]:
    """For a process that begins. A database out of reach is no reason: it may come back, and /readyz says so."""
    try:
        reasons = [f"Five Fortunes does not start: {fault}" for fault in faults().values()]
    except (DatabaseError, InterfaceError) as error:
        log.warning("the database is out of reach at the start: %s", describing.of(error))
        return []
    finally:
        # A worker forks its pool afterwards, and nobody may share this connection with it.
        connections.close_all()
    for reason in reasons:
        log.critical(reason)
    return reasons


@register(Tags.database)
def check(*, databases: Sequence[str] | None = None, **_: Any) -> Sequence[CheckMessage]:
    """Django's system check, run with `--database default` and before migrations."""
    if not databases:
        return []
    try:
        return [Error(fault, id=f"config.{name}") for name, fault in faults().items()]
    except (DatabaseError, InterfaceError) as error:
        return [Error(f"The database is out of reach: {describing.of(error)}", id="config.database")]
