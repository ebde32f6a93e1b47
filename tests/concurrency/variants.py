"""Controls: the product's SQL functions without one of their locks, put in place for the length of a block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg

from fortunes import sql
from fortunes.models import Campaign


@contextmanager
def without(
    owner: psycopg.Connection,
    app: str,
    function: str,
    *,
    cut: str,
    put: str = "",
    more: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """`<app>/sql/functions/<function>.sql` with `cut` replaced by `put`, while the block lasts.

    `more` are further replacements, for a second line of defence or for a pause that makes the race certain.
    """
    original = changed = sql.text(app, f"functions/{function}")
    for old, new in {cut: put, **(more or {})}.items():
        if original.count(old) != 1:
            raise ValueError(f"{function} has {original.count(old)} places to cut")
        changed = changed.replace(old, new)
    _install(owner, changed)
    try:
        yield
    finally:
        _install(owner, original)


def _install(owner: psycopg.Connection, text: str) -> None:
    owner.execute(text.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").encode())


def erase(campaign: Campaign, owner: psycopg.Connection) -> None:
    """Take away what a control broke: the session ends with a check of the invariants."""
    events = "UPDATE fortunes_event SET type = 'erased' WHERE campaign_id = %s AND type LIKE 'gift.%%'"
    owner.execute(events, [campaign.pk])
    cards = ("transfer", "trade", "draw", "drawcount", "drawtotal", "invitationcredit", "hand", "stock", "stocktranche")
    for table in (f"cards_{name}" for name in cards):
        owner.execute(f"DELETE FROM {table} WHERE campaign_id = {campaign.pk}".encode())
