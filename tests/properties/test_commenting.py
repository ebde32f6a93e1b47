"""How often a player may comment: whoever tries at any moment is within both limits, and is told when it goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fortunes import commenting

BEGIN = datetime(2026, 2, 10, tzinfo=UTC)
PER_DAY = 12
# Some in a row, and some over a few days.
PAUSES = st.lists(st.one_of(st.integers(0, 40), st.integers(0, 20_000)), max_size=80)


def instants(pauses: list[int]) -> list[datetime]:
    seconds = [sum(pauses[: number + 1]) for number in range(len(pauses))]
    return [BEGIN + timedelta(seconds=second) for second in seconds]


@given(PAUSES)
def test_no_window_has_more_than_its_limit(pauses: list[int]) -> None:
    written: list[datetime] = []
    for now in instants(pauses):
        if commenting.reached(written, now, per_day=PER_DAY) is None:
            written.append(now)
    for limit, window in ((commenting.PER_MINUTE, commenting.MINUTE), (PER_DAY, commenting.DAY)):
        for end in written:
            assert sum(end - window < at <= end for at in written) <= limit


@given(PAUSES)
def test_whoever_waits_as_told_may_and_not_a_moment_earlier(pauses: list[int]) -> None:
    written: list[datetime] = []
    for now in instants(pauses):
        limit = commenting.reached(written, now, per_day=PER_DAY)
        if limit is None:
            written.append(now)
            continue
        assert limit.next_at > now
        assert commenting.reached(written, limit.next_at, per_day=PER_DAY) is None
        assert commenting.reached(written, limit.next_at - timedelta(microseconds=1), per_day=PER_DAY) is not None


@given(PAUSES)
def test_the_order_of_what_was_written_does_not_matter(pauses: list[int]) -> None:
    written = instants(pauses)[:PER_DAY]
    now = BEGIN + timedelta(seconds=sum(pauses))
    assert commenting.reached(written, now, per_day=PER_DAY) == commenting.reached(written[::-1], now, per_day=PER_DAY)


def test_a_day_without_any() -> None:
    limit = commenting.reached([], BEGIN, per_day=0)
    assert limit is not None
    assert (limit.limit, limit.next_at) == (0, BEGIN + commenting.DAY)
