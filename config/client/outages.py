"""A time during which something didn't work, as a client sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outage:
    """From the first failure that a client noticed until it worked again, in seconds of the monotonic clock.

    `what` is "request", "socket", "push" (a gift that its receiver heard of late), "split" (from the deadline on) or
    "credit" (of unopened packets, from the reveal on).
    """

    what: str
    began: float
    ended: float
