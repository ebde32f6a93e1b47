"""Who of this process's players is told when friends come and go, and whose friends they are.

Friends are kept as packed arrays, half a kilobyte for fifty: a process has ten thousand sockets. They only narrow down
what is asked of the database, which has the last word: nobody is told of a player who is no friend at that moment.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Protocol
from uuid import UUID

import msgspec

from accounts import friends
from config.sockets import frames
from config.sockets.roll import Change
from fortunes import clock, threads
from fortunes.answers import instant

EVENT = "presence.changed"
# How many watchers are looked through, and how many pairs are asked about and told, before others may go first.
SLICE = 500
PAIRS = 500
# Whose friends are read anew at one tick.
RENEWED_AT_ONCE = 500

Pair = tuple[int, int]


class PresenceChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A friend has come online or gone offline."""

    player: UUID
    online: bool


class Socket(Protocol):
    """What is told."""

    player_id: int

    def tell(self, frame: str, about: str) -> None:
        """An ephemeral frame; a newer one about the same replaces it as long as it waits."""


class Watchers:
    """One a process."""

    def __init__(self) -> None:
        self._friends: dict[int, array[int]] = {}
        # With the last change that each has been told of by the answer to its command.
        self._sockets: dict[int, dict[Socket, int]] = {}
        self._stale: dict[int, None] = {}

    def add(self, socket: Socket, contacts: Iterable[int], *, after: int) -> None:
        """Tell this socket of the changes that come after that one."""
        self._friends[socket.player_id] = array("q", contacts)
        self._sockets.setdefault(socket.player_id, {})[socket] = after

    def discard(self, socket: Socket) -> None:
        sockets = self._sockets.get(socket.player_id, {})
        sockets.pop(socket, None)
        if not sockets:
            self._sockets.pop(socket.player_id, None)
            self._friends.pop(socket.player_id, None)
            self._stale.pop(socket.player_id, None)

    def friends_changed(self, player: int) -> None:
        """A player has made or lost a friend."""
        if player in self._friends:
            self._stale[player] = None

    async def renew(self) -> set[int]:
        """Read the friends of those who made or lost one. Returns the new friends, of whom nothing was told yet."""
        asked = list(islice(self._stale, RENEWED_AT_ONCE))
        if not asked:
            return set()
        # Before they are read: what changes from here on marks them again.
        for player in asked:
            del self._stale[player]
        try:
            found = await threads.run(friends.contacts, asked)
        except Exception:
            self._stale |= dict.fromkeys(asked)
            raise
        fresh: set[int] = set()
        for player, contacts in zip(asked, found, strict=True):
            # Unless the last socket went meanwhile.
            if player in self._friends:
                fresh |= contacts.keys() - set(self._friends[player])
                self._friends[player] = array("q", contacts)
        return fresh

    async def tell(self, changes: Mapping[int, Change]) -> None:
        """Tell of these players' changes to those of their friends who watch."""
        changed, pairs = frozenset(changes), list[Pair]()
        for number, (player, contacts) in enumerate(list(self._friends.items()), 1):
            pairs += [(player, friend) for friend in changed.intersection(contacts)]
            if len(pairs) >= PAIRS:
                await self._tell(pairs, changes)
                pairs = []
            elif number % SLICE == 0:
                await asyncio.sleep(0)
        if pairs:
            await self._tell(pairs, changes)

    async def _tell(self, pairs: Collection[Pair], changes: Mapping[int, Change]) -> None:
        at, confirmed = await threads.run(_confirm, pairs)
        for player, friend, public_id in confirmed:
            online, number = changes[friend]
            frame = frames.ephemeral(EVENT, at, PresenceChanged(player=public_id, online=online))
            for socket, after in tuple(self._sockets.get(player, {}).items()):
                if number > after:
                    socket.tell(frame, about=f"{EVENT} {friend}")


def _confirm(pairs: Collection[Pair]) -> tuple[str, list[tuple[int, int, UUID]]]:
    return instant(clock.estimate()), friends.confirmed(pairs)
