"""Whom a player has blocked, as far as the ground needs to know: whose words they don't want to read.

The ground doesn't know what players are to each other: `settings.BLOCKED_PLAYERS` names a callable of accounts.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol

from django.conf import settings
from django.db.models import QuerySet
from django.utils.module_loading import import_string


class Blocked(Protocol):
    """The ids of the players whom this one has blocked, one column, to be part of another query."""

    def __call__(self, player_id: int) -> QuerySet[Any, Any]: ...


def of(player_id: int) -> QuerySet[Any, Any]:
    """The ids of the players whom a player has blocked, for a subquery."""
    return _blocked()(player_id)


@cache
def _blocked() -> Blocked:
    blocked: Blocked = import_string(settings.BLOCKED_PLAYERS)
    return blocked
