"""Local days: which one it is, and when the next one begins. Pure.

The database judges the day (`(fortunes_clock() AT TIME ZONE tz)::date`). Here it is guessed beforehand and told
afterwards.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def of(at: datetime, tz: str) -> date:
    """The local day of an instant."""
    return at.astimezone(ZoneInfo(tz)).date()


def start(day: date, tz: str) -> datetime:
    """The first instant of a local day, in UTC.

    Midnight may come twice or not at all where the clocks change at that hour. PEP 495's fold 0 is the first of two,
    and for a midnight that is skipped it reckons with the offset before the change, which gives the change itself.
    """
    return datetime.combine(day, time(), ZoneInfo(tz)).astimezone(UTC)


def end(day: date, tz: str) -> datetime:
    """The first instant of the day after a local day, in UTC."""
    return start(day + timedelta(days=1), tz)
