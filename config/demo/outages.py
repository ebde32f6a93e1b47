"""What an accident costs those who play: the times during which something didn't work, as clients see it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from config.client.outages import Outage

LATE_S = 0.5


@dataclass(frozen=True, slots=True)
class Done:
    """A write that the server acknowledged; the `id` is of its draw, trade or ballot, or of who opened a packet."""

    what: str
    id: str
    at: float


def late_pushes(told_at: Mapping[str, float], heard_at: Mapping[str, float]) -> list[Outage]:
    """Gifts of which the receiver heard more than half a second after the giver was told."""
    return [
        Outage("push", told, heard_at[trade])
        for trade, told in told_at.items()
        if trade in heard_at and heard_at[trade] - told > LATE_S
    ]


def lost(done: Iterable[Done], stored: Mapping[str, Collection[str]]) -> list[Done]:
    """What was acknowledged and isn't there; `stored` has the ids by what they are of."""
    return [item for item in done if item.id not in stored[item.what]]
