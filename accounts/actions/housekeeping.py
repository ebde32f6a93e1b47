"""What of signing in is thrown away when its time is over, in small transactions and by an index."""

from __future__ import annotations

from django.db import transaction

from accounts import phones
from fortunes import sql

BATCH = 1_000
SWEEPS = ("forget_families", "forget_codes", "forget_messages", "forget_pushes", "forget_tries", "forget_tokens")


def forget_old() -> int:
    """Delete expired sessions, codes, tokens and counts of tries, messages and pushes of yesterday; how many rows."""
    return sum(_sweep(statement) for statement in SWEEPS) + _erase_given_up()


def rekey_phones() -> int:
    """Store all numbers under the current keys, so that older ones can be taken out of their rings; how many."""
    done = last = 0
    while True:
        with transaction.atomic(durable=True):
            # Locked, so that a number that is being erased isn't written once more.
            later = phones.kept_under_old_keys().select_for_update().filter(pk__gt=last).order_by("pk")
            batch = list(later[:BATCH])
            for phone in batch:
                phones.rekey(phone)
        if not batch:
            return done
        done, last = done + len(batch), batch[-1].pk


def _sweep(statement: str) -> int:
    deleted = 0
    while True:
        with transaction.atomic(durable=True):
            batch = sql.execute(sql.text("accounts", statement), {"batch": BATCH})
        deleted += batch
        if batch < BATCH:
            return deleted


def _erase_given_up() -> int:
    """The words of messages that were given up: nobody can send them any more."""
    with transaction.atomic(durable=True):
        return sql.execute(sql.text("accounts", "erase_given_up"))
