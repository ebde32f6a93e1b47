"""The draws, read like a log: a reader takes note of each draw exactly once, whatever commits late.

Ids are given out in order but commit out of order, and the database's clock may go back: neither `at` nor the highest
id says that all before it are there. What says it is the gate. Whoever inserts a draw has held the gate since before
its id was given, until after its commit could be seen. So all draws up to the newest id that can be seen now are there
once everybody has left who holds a gate now. Ids are read along the primary key: this costs the draws no index.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from fortunes import sql

# In ids; some of them may have been rolled back.
CHUNK = 50_000
# A holder has a second for its locks and five in all. Whoever meets one that takes long comes back later.
PATIENCE_S, PAUSE_S = 2.0, 0.02


@dataclass(frozen=True, slots=True)
class Span:
    """The draws with after < id <= upto."""

    after: int
    upto: int


def horizon() -> int:
    """An id up to which no draw can still appear. 0 if somebody holds a gate for so long that none can be told.

    Outside of transactions: it waits for those of others.
    """
    newest: int = sql.fetch("SELECT coalesce(max(id), 0) AS id FROM cards_draw")[0].id
    writing = _gate_holders()
    until = time.monotonic() + PATIENCE_S
    while writing:
        if time.monotonic() > until:
            return 0
        time.sleep(PAUSE_S)
        writing &= _gate_holders()
    return newest


def _gate_holders() -> set[str]:
    """The transactions that hold a gate at this moment, other than this one."""
    return {row.transaction for row in sql.fetch(sql.text("cards", "gate_holders"))}


def register(*, reader: str) -> None:
    """Make the row of a reader that has never read; a transaction of its own."""
    sql.execute("INSERT INTO cards_drawreader (name, last_id) VALUES (%(reader)s, 0) ON CONFLICT DO NOTHING",
                {"reader": reader})  # fmt: skip


def take(*, reader: str, upto: int) -> Span | None:
    """The reader's next draws, at most 50,000 ids, noted as read in the caller's transaction.

    None if there are none up to the horizon `upto`, or if another worker is reading at this moment.
    """
    rows = sql.fetch(sql.text("cards", "take_draws"), {"reader": reader, "upto": upto, "most": CHUNK})
    return Span(rows[0].after, rows[0].upto) if rows else None
