"""A phase never goes backwards, whatever the instants and whenever the steps are completed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fortunes.phases import ORDER, Phase, Timeline, phase_at

ZERO = datetime(2026, 1, 18, tzinfo=UTC)
moments = st.integers(min_value=0, max_value=100).map(lambda hours: ZERO + timedelta(hours=hours))


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    opens, closes = sorted(draw(st.lists(moments, min_size=2, max_size=2, unique=True)))
    return Timeline(opens_at=opens, closes_at=closes)


@given(timelines(), st.lists(st.tuples(moments, st.booleans()), max_size=30))
def test_phases_never_go_backwards(timeline: Timeline, ticks: list[tuple[datetime, bool]]) -> None:
    """Time goes on; at some ticks the next step that the database would allow is completed."""
    seen = []
    for now, step in sorted(ticks):
        if step:
            timeline = next_step(timeline, now)
        seen.append(ORDER.index(phase_at(timeline, now)))
    assert seen == sorted(seen)


def next_step(timeline: Timeline, now: datetime) -> Timeline:
    if timeline.opened_at is None:
        return replace(timeline, opened_at=now) if now < timeline.closes_at else timeline
    if timeline.frozen_at is None:
        return replace(timeline, frozen_at=now) if now >= timeline.closes_at else timeline
    for step in ("settling_at", "settled_at", "archived_at"):
        if getattr(timeline, step) is None:
            return replace(timeline, **{step: now})
    return timeline


@given(timelines(), moments)
def test_a_draft_stays_a_draft_until_it_is_opened(timeline: Timeline, now: datetime) -> None:
    assert phase_at(timeline, now) is Phase.DRAFT


@given(timelines(), moments)
def test_the_deadline_itself_freezes(timeline: Timeline, now: datetime) -> None:
    """Also while nobody has stamped the freeze yet: a late closer changes no answer."""
    opened = replace(timeline, opened_at=ZERO)
    stamped = replace(opened, frozen_at=max(now, timeline.closes_at))
    late = now >= timeline.closes_at
    assert (phase_at(opened, now) is Phase.FROZEN) == late
    if late:
        assert phase_at(stamped, now) is Phase.FROZEN
