"""Quiet hours by the clock on the wall, over midnight and across the days on which it's put."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import quiet
from accounts.quiet import Hours

NEW_YORK = "America/New_York"
NIGHT = Hours(time(22), time(8))
ZONES = ["Asia/Shanghai", NEW_YORK, "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "UTC"]
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))


def at(text: str, tz: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(tz), fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2027-02-01T21:59", None),
        ("2027-02-01T22:00", "2027-02-02T08:00"),
        ("2027-02-01T23:59", "2027-02-02T08:00"),
        ("2027-02-02T00:00", "2027-02-02T08:00"),
        ("2027-02-02T07:59", "2027-02-02T08:00"),
        ("2027-02-02T08:00", None),
        ("2027-12-31T23:00", "2028-01-01T08:00"),
    ],
)
def test_over_midnight(now: str, until: str | None):
    ends = quiet.until(at(now, "Asia/Shanghai"), NIGHT, "Asia/Shanghai")
    assert ends == (until and at(until, "Asia/Shanghai"))


def test_within_a_day():
    siesta = Hours(time(13), time(15, 30))
    assert quiet.until(at("2027-02-01T14:00", "UTC"), siesta, "UTC") == at("2027-02-01T15:30", "UTC")
    assert quiet.until(at("2027-02-01T12:59", "UTC"), siesta, "UTC") is None


def test_none():
    assert quiet.until(at("2027-02-01T03:00", "UTC"), None, "UTC") is None


def test_a_short_night_and_a_long_one():
    """The clock is put forward on 14 March 2027 at 2:00 and back on 7 November at 2:00."""
    for day, night in (("2027-03-14", 9), ("2027-06-01", 10), ("2027-11-07", 11)):
        begins = at(f"{day}T00:00", NEW_YORK) - timedelta(hours=2)
        ends = quiet.until(begins, NIGHT, NEW_YORK)
        assert ends == at(f"{day}T08:00", NEW_YORK)
        assert ends - begins == timedelta(hours=night)


def test_an_end_that_comes_twice_is_the_second():
    hours = Hours(time(23), time(1, 30))
    ends = at("2027-11-07T01:30", NEW_YORK, fold=1)
    for now in (at("2027-11-07T01:45", NEW_YORK), at("2027-11-07T01:15", NEW_YORK, fold=1)):
        assert quiet.until(now, hours, NEW_YORK) == ends
    assert quiet.until(ends, hours, NEW_YORK) is None


def test_an_end_that_does_not_come_is_the_hour_after():
    assert quiet.until(at("2027-03-14T01:59", NEW_YORK), Hours(time(23), time(2, 30)), NEW_YORK) == at(
        "2027-03-14T03:30", NEW_YORK
    )


@given(
    now=st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)),
    begins=TIMES,
    ends=TIMES,
    tz=st.sampled_from(ZONES),
)
def test_it_ends_soon_and_then_it_is_not_quiet(now: datetime, begins: time, ends: time, tz: str):
    hours = Hours(begins, ends)
    if begins == ends:
        return
    until = quiet.until(now, hours, tz)
    shown = now.astimezone(ZoneInfo(tz)).time()
    inside = begins <= shown < ends if begins < ends else not ends <= shown < begins
    if until is None:
        assert not inside, "nobody is woken"
    else:
        assert now < until <= now + timedelta(hours=26)
        assert quiet.until(until, hours, tz) is None or until - now >= timedelta(hours=22)


@pytest.mark.parametrize(
    ("text", "hours"), [("", None), ("22:00-08:00", NIGHT), ("13:00-15:30", Hours(time(13), time(15, 30)))]
)
def test_written_hours(text: str, hours: Hours | None):
    assert quiet.parse(text) == hours


@pytest.mark.parametrize("text", ["22-8", "22:00", "22:00-24:00", "22:00-8:00", "22:00-22:00", "22:60-08:00", "x"])
def test_what_are_no_hours(text: str):
    with pytest.raises(ValueError, match="no hours"):
        quiet.parse(text)


def test_zones():
    assert {"Asia/Shanghai", "UTC"} <= quiet.zones()
    assert not {"", "../etc/passwd", "Mars/Olympus"} & quiet.zones()
