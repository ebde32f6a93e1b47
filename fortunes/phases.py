"""The phase of a campaign, as a pure function of its timestamps, its completed steps and one instant.

A phase never goes backwards: each boundary is either an instant that has passed or a step that is never undone
(`tests/properties/test_phases.py`). The instant is always the database's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Phase(StrEnum):
    DRAFT = "draft"
    WARMUP = "warmup"
    LIVE = "live"
    FROZEN = "frozen"
    SETTLING = "settling"
    SETTLED = "settled"
    ARCHIVED = "archived"


ORDER = tuple(Phase)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The two instants that are planned and the five steps that are completed, each None until then."""

    opens_at: datetime
    closes_at: datetime
    opened_at: datetime | None = None
    frozen_at: datetime | None = None
    settling_at: datetime | None = None
    settled_at: datetime | None = None
    archived_at: datetime | None = None


def phase_at(timeline: Timeline, now: datetime) -> Phase:
    """The phase at `now`. The deadline itself already freezes: the freeze that is stamped later changes no answer."""
    if timeline.archived_at is not None:
        return Phase.ARCHIVED
    if timeline.settled_at is not None:
        return Phase.SETTLED
    if timeline.settling_at is not None:
        return Phase.SETTLING
    if timeline.opened_at is None:
        return Phase.DRAFT
    if timeline.frozen_at is not None or now >= timeline.closes_at:
        return Phase.FROZEN
    return Phase.LIVE if now >= timeline.opens_at else Phase.WARMUP
