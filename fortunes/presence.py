"""Presence: which players are connected, to any process. Held in memory and in Redis, and authoritative for nothing.

The ground doesn't know who holds sockets: `settings.PRESENCE` names a callable in the roof, for processes that hold
some, and `settings.PRESENCE_ASKED` another for those that don't, workers above all.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Seen:
    """Who of those asked for is online, as far as is known; `known` says whether all of it is."""

    known: bool
    online: frozenset[int]


class Look(Protocol):
    """Asks memory only, from any thread. Must not block or raise."""

    def __call__(self, players: Collection[int]) -> Seen: ...


class Ask(Protocol):
    """Asks Redis, and waits for it a moment. Must not raise."""

    def __call__(self, players: Collection[int]) -> Seen: ...


@cache
def _look() -> Look:
    look: Look = import_string(settings.PRESENCE)
    return look


def look(players: Collection[int]) -> Seen:
    """Which of these players are online."""
    return _look()(players)


@cache
def _ask() -> Ask:
    ask: Ask = import_string(settings.PRESENCE_ASKED)
    return ask


def ask(players: Collection[int]) -> Seen:
    """Which of these players are online, for a process without sockets."""
    return _ask()(players)
