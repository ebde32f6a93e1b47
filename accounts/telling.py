"""Which of a player's events are told to them while they are away. Pure.

Nothing that they did themselves, nothing that they have muted, nothing that is over; and of several events about one
thing the newest only: a request that was cancelled since is no news.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

# What happened so long ago is no news any more.
OLDEST = timedelta(hours=24)


class Event(Protocol):
    """An event with its payload."""

    @property
    def type(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


E = TypeVar("E", bound=Event)


class Telling(Protocol):
    """How a type of events is told: `fortunes.events.Telling`."""

    @property
    def pushed(self) -> bool: ...
    @property
    def by(self) -> str | None: ...
    @property
    def about(self) -> str | None: ...


def chosen(
    events: Sequence[E], types: Mapping[str, Telling], *, player: str, muted: Collection[str], now: datetime
) -> list[E]:
    """Those to tell, in the order in which they came. `player` is the public id of whom they are for."""
    last = {_subject(event, types.get(event.type), place): place for place, event in enumerate(events)}
    newest = (events[place] for place in sorted(last.values()))
    return [event for event in newest if _is_news(event, types.get(event.type), player, muted, now)]


def _subject(event: Event, telling: Telling | None, place: int) -> tuple[object, ...]:
    """What the event is about; itself, if nothing else can be about that."""
    if telling is None or telling.about is None:
        return (place,)
    return telling.about, event.data.get(telling.about)


def _is_news(event: Event, telling: Telling | None, player: str, muted: Collection[str], now: datetime) -> bool:
    if telling is None or not telling.pushed or event.type in muted:
        return False
    if telling.by is not None and event.data.get(telling.by) == player:
        return False
    expires_at = event.data.get("expires_at")
    if expires_at is not None and datetime.fromisoformat(expires_at) <= now:
        return False
    return event.at > now - OLDEST
