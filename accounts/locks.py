"""The one doorway to changes of friendships: the rows of both players, in ascending id."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Player


def both(one: int, other: int) -> dict[int, int]:
    """Lock two players' friendships until the end of the current transaction; how many friends each has, by id.

    FOR NO KEY UPDATE, so that foreign keys to a player don't wait for it. In ascending id: two players who act upon
    each other at once would deadlock otherwise.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("the lock is held until commit: open a transaction first")
    rows = Player.objects.select_for_update(no_key=True).filter(pk__in=[one, other]).order_by("pk")
    return dict(rows.values_list("pk", "friend_count"))
