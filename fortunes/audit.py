"""The audit: what staff did, and what the system did for them, as a chain of hashes.

Every entry's hash covers the one before it, so that a changed, missing or slipped-in entry is found by anybody who has
kept an earlier head: the heads leave the database (docs/operations.md). Entries hold ids, enums and numbers, never a
person's words. Append-only.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from psycopg.types.json import Jsonb

from fortunes import sql


def record(*, actor: int | None, action: str, subject: str, subject_id: int | None, **data: Any) -> None:
    """Write what `actor` (a player's id; None is the system) did to a row of the model `subject`.

    The last statement of the transaction that did it: it takes the chain's lock, and holds it to the end.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("an audit entry is written in the transaction of its fact")
    params = {"actor": actor, "action": action, "subject": subject, "subject_id": subject_id, "data": Jsonb(data)}
    sql.fetch(sql.text("fortunes", "audit"), params)


def head() -> tuple[int, bytes]:
    """The number and the hash of the newest entry; (0, 32 zero bytes) before the first."""
    rows = sql.fetch(sql.text("fortunes", "audit_head"))
    return (rows[0].seq, bytes(rows[0].hash)) if rows else (0, bytes(32))
