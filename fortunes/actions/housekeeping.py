"""What is thrown away when its time is over."""

from __future__ import annotations

from django.db import transaction

from fortunes import sql

BATCH = 10_000


def forget_old_keys() -> int:
    """Delete idempotency keys older than 48 hours, in small transactions; how many."""
    deleted = 0
    while True:
        with transaction.atomic(durable=True):
            batch = sql.execute(sql.text("fortunes", "delete_old_keys"), {"batch": BATCH})
        deleted += batch
        if batch < BATCH:
            return deleted
