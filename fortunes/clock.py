"""The database's clock, exact (`now`) or as this process's estimate of it (`estimate`).

Rules are judged in SQL with `fortunes_clock()`. Tokens expire by the estimate: an offset on this process's monotonic
clock, refreshed every 10 s, so that a wrong wall clock on an application host changes nothing.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

from fortunes import sql

REFRESH_S = 10.0

_lock = threading.Lock()
# (this process's monotonic clock, the database's clock at that moment); at first one that is stale.
NEVER = (float("-inf"), datetime.min.replace(tzinfo=UTC))
_anchor: tuple[float, datetime] = NEVER


def now() -> datetime:
    """The instant by the database's clock: one round trip."""
    instant: datetime = sql.fetch("SELECT fortunes_clock() AS at")[0].at
    return instant.astimezone(UTC)


def estimate() -> datetime:
    """The instant by the database's clock as this process knows it, at most 10 s after asking for it."""
    global _anchor
    anchor = _anchor
    if _is_stale(anchor):
        with _lock:
            # Whoever waited here finds what the first has asked meanwhile.
            anchor = _anchor
            if _is_stale(anchor):
                asked = time.monotonic()
                instant = now()
                # The answer was made between asking and hearing it: the middle is the best guess.
                anchor = _anchor = ((asked + time.monotonic()) / 2, instant)
    return anchor[1] + timedelta(seconds=time.monotonic() - anchor[0])


def _is_stale(anchor: tuple[float, datetime]) -> bool:
    return time.monotonic() - anchor[0] > REFRESH_S


def forget() -> None:
    """Ask again at the next estimate (the clock was shifted by a test, or the process forked)."""
    global _anchor
    _anchor = NEVER
