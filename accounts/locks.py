"""The one doorway to changes of friendships: the rows of the players, in ascending id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from accounts.models import Player


class Locked(NamedTuple):
    """What a player's locked row says."""

    public_id: UUID
    friend_count: int
    erased: bool


def both(one: int, other: int) -> dict[int, Locked]:
    """Lock two players' friendships until the end of the current transaction.

    FOR NO KEY UPDATE, so that foreign keys to a player don't wait for it. In ascending id: two players who act upon
    each other at once would deadlock otherwise.
    """
    return of([one, other])


def of(players: Iterable[int]) -> dict[int, Locked]:
    """The same for any number of players."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("the lock is held until commit: open a transaction first")
    rows = Player.objects.select_for_update(no_key=True).filter(pk__in=set(players)).order_by("pk")
    columns = rows.values_list("pk", "public_id", "friend_count", "erased_at")
    return {pk: Locked(public_id, count, erased_at is not None) for pk, public_id, count, erased_at in columns}
