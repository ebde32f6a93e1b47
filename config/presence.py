"""Presence: which friends are online. docs/friends.md describes it, decision 17 says why it is so.

Each process keeps the roll of everybody who is online (config/sockets/roll.py): its own players by their sockets, and
those of the other processes by one exchange with Redis a second (config/sockets/beats.py). So a look asks memory only,
and no socket or request waits for Redis. While Redis is away what was known stays, and is soon called unknown.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any, NoReturn

from accounts import answers, friends
from config.sockets.beats import BEAT_S, Beats
from config.sockets.roll import Roll
from config.sockets.watchers import Socket, Watchers
from fortunes import rest, threads
from fortunes.presence import Seen

SOCKETS_A_CALL = 50
# What was heard a moment ago is still known. After so many beats without an answer it isn't.
MISSED_BEATS = 3

log = logging.getLogger("fortunes.presence")


class WatchData(rest.StrictSerializer):
    """Nothing: one's friends are watched."""


class Presence:
    """One a process, on its event loop."""

    def __init__(self) -> None:
        self._roll = Roll()
        self._beats = Beats(self._roll)
        self._watchers = Watchers()
        # Of many sockets that ask at the same time together.
        self._contacts = threads.Gathered(friends.contacts, most=SOCKETS_A_CALL)
        self._known = False
        self._missed = 0
        # The loop keeps no strong reference to a task. Telling thousands may take its time, and beats go on meanwhile.
        self._tasks = (asyncio.create_task(self._beat_forever()), asyncio.create_task(self._tell_forever()))

    def came(self, player: int) -> None:
        """A player has a socket here."""
        self._roll.came(player)

    def went(self, player: int) -> None:
        """A player has no socket here any more."""
        self._roll.went(player, now=asyncio.get_running_loop().time())

    def look(self, players: Collection[int]) -> Seen:
        """Of any thread."""
        return Seen(self._known, frozenset(player for player in players if self._roll.is_online(player)))

    async def watch(
        self, socket: Socket, data: dict[str, Any], say: Callable[[answers.PresenceAnswer], Awaitable[None]]
    ) -> None:
        """Answer who of the player's friends is online, and from then on tell the socket of changes."""
        rest.validated(WatchData, data)
        contacts = await self._contacts(socket.player_id)
        seen, after = self.look(contacts), self._roll.changes
        await say(answers.presence(contacts, seen))
        # Only now, so that no change overtakes the answer; what has changed while it waited is told.
        self._watchers.add(socket, contacts, after=after)
        self._roll.tell_again(seen.online ^ self.look(contacts).online)

    def discard(self, socket: Socket) -> None:
        """Whether it watched or not."""
        self._watchers.discard(socket)

    def friends_changed(self, player: int) -> None:
        """A player has made or lost a friend."""
        self._watchers.friends_changed(player)

    async def _beat_forever(self) -> NoReturn:
        while True:
            self._roll.let_go(now=asyncio.get_running_loop().time())
            try:
                await self._beats.beat()
                self._known = self._roll.is_whole
                if self._missed >= MISSED_BEATS:
                    log.warning("presence is known again")
                self._missed = 0
            except Exception as error:  # whatever Redis and its client throw: nothing depends on it
                self._missed += 1
                if self._missed == MISSED_BEATS:
                    self._known = False
                    log.warning("Redis is out of reach, presence is unknown: %r", error)
            await asyncio.sleep(BEAT_S)

    async def _tell_forever(self) -> NoReturn:
        complained = False
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                await self._tell()
                complained = False
            except Exception as error:  # the database is away, and nobody is told without it
                if not complained:
                    log.warning("presence can't be told: %r", error)
                complained = True

    async def _tell(self) -> None:
        self._roll.tell_again(self.look(await self._watchers.renew()).online)
        changes = self._roll.take()
        if not changes:
            return
        try:
            await self._watchers.tell(changes)
        except Exception:
            self._roll.tell_again(changes)
            raise


_presence: Presence | None = None


def here() -> Presence:
    """This process's presence, begun with the process."""
    global _presence
    if _presence is None:
        _presence = Presence()
    return _presence


def look(players: Collection[int]) -> Seen:
    """`settings.PRESENCE`. A process without sockets, a worker or a command, knows nothing."""
    return Seen(False, frozenset()) if _presence is None else _presence.look(players)
