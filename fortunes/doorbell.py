"""The doorbell: after a commit, tell the processes that hold sockets that a feed has moved.

It carries only "this feed is now at seq N"; whoever hears it reads the rows from the database, and whoever doesn't
finds them by polling. The ground doesn't know who listens: `settings.DOORBELL` names a callable in the roof.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Protocol

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string


class Ring(Protocol):
    """Rings for feeds: `players` and `campaigns` map an id to the feed's newest seq. Must not block or raise.

    `shares` maps campaigns to a number that rises with every new count of their live share.
    """

    def __call__(
        self, *, players: Mapping[int, int], campaigns: Mapping[int, int], shares: Mapping[int, int] = {}
    ) -> None: ...


@cache
def _ring() -> Ring:
    ring: Ring = import_string(settings.DOORBELL)
    return ring


def ring_after_commit(
    *, players: Mapping[int, int] = {}, campaigns: Mapping[int, int] = {}, shares: Mapping[int, int] = {}
) -> None:
    """Ring once the current transaction has committed; nothing leaves before that."""
    transaction.on_commit(lambda: _ring()(players=players, campaigns=campaigns, shares=shares), robust=True)
