"""Quiet hours: by the clock on a player's wall, over midnight, and over the days on which that clock is put. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

TIME_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_HOURS = re.compile(r"([0-9:]{5})-([0-9:]{5})")


class Hours(NamedTuple):
    """From the one time of day until the other, which may be on the next day."""

    begins: time
    ends: time


@cache
def zones() -> frozenset[str]:
    """The names of time zones that there are."""
    return frozenset(available_timezones())


def parse(text: str) -> Hours | None:
    """`22:00-08:00`; None for nothing. Raises ValueError."""
    if not text:
        return None
    match = _HOURS.fullmatch(text)
    if match is None or not all(re.match(TIME_PATTERN, part) for part in match.groups()):
        raise ValueError(f"{text} are no hours like 22:00-08:00")
    hours = Hours(*map(time.fromisoformat, match.groups()))
    if hours.begins == hours.ends:
        raise ValueError(f"{text} are no hours: they end when they begin")
    return hours


def until(now: datetime, hours: Hours | None, tz: str) -> datetime | None:
    """When the quiet hours end in which `now` lies, in UTC; None if it doesn't lie in any."""
    if hours is None:
        return None
    zone = ZoneInfo(tz)
    today = now.astimezone(zone).date()
    # Those that began yesterday may go on.
    for day in (today - timedelta(days=1), today):
        ends_on = day if hours.begins < hours.ends else day + timedelta(days=1)
        begins, ends = min(_instants(day, hours.begins, zone)), max(_instants(ends_on, hours.ends, zone))
        if begins <= now < ends:
            return ends
    return None


def _instants(day: date, at: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When the wall's clock shows `at`: twice where it's put back. Where it's put forward, an hour to either side.

    Quiet hours begin with the earlier and end with the later, so that nobody is woken in them.
    """
    shown = datetime.combine(day, at, tzinfo=zone)
    return shown.replace(fold=0).astimezone(UTC), shown.replace(fold=1).astimezone(UTC)
