"""The pace of a capped kind: its units in tranches between opening and deadline. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fortunes.rules import Cap


@dataclass(frozen=True, slots=True)
class Tranche:
    """The units with serials first_serial … first_serial + units − 1 can be drawn from `available_at`."""

    number: int
    first_serial: int
    units: int
    available_at: datetime


def tranches(cap: Cap, *, opens_at: datetime, closes_at: datetime) -> list[Tranche]:
    """Equal slots of time; tranche j ends at serial ⌊units · (j + 1) / tranches⌋, so no unit is lost to rounding."""
    slot = (closes_at - opens_at) / cap.tranches
    ends = [cap.units * (number + 1) // cap.tranches for number in range(cap.tranches)]
    starts = [0, *ends[:-1]]
    return [
        Tranche(number, first + 1, end - first, opens_at + slot * number)
        for number, (first, end) in enumerate(zip(starts, ends, strict=True))
    ]
