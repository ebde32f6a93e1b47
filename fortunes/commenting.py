"""How long a comment may be, and how many one player may write. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fortunes import wording

LENGTH = 500
PER_MINUTE = 5
MINUTE, DAY = timedelta(minutes=1), timedelta(hours=24)


def is_comment(tidied: str) -> bool:
    """Some lines in any script with something to read, up to 500 code points."""
    return len(tidied) <= LENGTH and wording.is_readable(tidied)


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that is reached: `limit` comments in `window`. The next one is possible at `next_at`."""

    limit: int
    window: timedelta
    next_at: datetime


def reached(written: Sequence[datetime], now: datetime, *, per_day: int) -> Reached | None:
    """Which limit forbids one more comment at `now`, the one that does so longest. `written` are those of the last day.

    What was deleted counts as well: somebody else may have read it.
    """
    found = [
        Reached(limit, window, _frees(written, now, limit, window))
        for limit, window in ((PER_MINUTE, MINUTE), (per_day, DAY))
        if sum(now - at < window for at in written) >= limit
    ]
    return max(found, key=lambda limit: limit.next_at, default=None)


def _frees(written: Sequence[datetime], now: datetime, limit: int, window: timedelta) -> datetime:
    """When fewer than `limit` of them are younger than the window."""
    if limit < 1:
        return now + window
    return sorted(written)[-limit] + window
