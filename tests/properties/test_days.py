"""Local days in every zone there is, and the nonces that are made from them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

from hypothesis import given
from hypothesis import strategies as st

from cards import days, nonces

zones = st.sampled_from(sorted(available_timezones()))
instants = st.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))
ids = st.integers(1, 2**63 - 1)


@given(instants, zones)
def test_an_instant_lies_within_its_day(at: datetime, tz: str) -> None:
    day = days.of(at, tz)

    assert days.start(day, tz) <= at < days.end(day, tz)


@given(instants, zones)
def test_a_day_begins_with_its_first_instant(at: datetime, tz: str) -> None:
    """Just before it is another day, and it is this day at it."""
    start = days.start(days.of(at, tz), tz)

    assert days.of(start, tz) == days.of(at, tz)
    assert days.of(start - timedelta(microseconds=1), tz) < days.of(at, tz)


@given(ids, ids, st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_nonces_differ_where_what_they_stand_for_does(one: int, other: int, day: date, another: date) -> None:
    first, second = nonces.check_in(player_id=one, day=day), nonces.check_in(player_id=other, day=another)
    assert (first == second) == ((one, day) == (other, another))
    invited = (nonces.invitation(invited_id=one), nonces.invitation(invited_id=other))
    assert (invited[0] == invited[1]) == (one == other)
    assert max(len(first), len(invited[0]), len(nonces.support(player_id=one, key=str(other)))) <= 16
