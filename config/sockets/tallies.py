"""The tallies of open votes on their way to the sockets of this process that watch them: `tally.watch`.

A process that has watchers reads the tallies of all their votes in one small query, twice a second, and tells each
socket what has changed. Nobody is rung for a ballot: a storm of them costs the watchers nothing, and a thousand
watchers cost the database as much as one. Whoever comes while a vote is watched is answered from memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

import msgspec
from rest_framework.serializers import UUIDField

from config.sockets import frames
from config.sockets.frames import Refused
from fortunes import errors, rest, threads
from fortunes.actions import ballots
from fortunes.answers import TallyChanged

log = logging.getLogger("fortunes.socket")

EVENT = "tally.changed"
PACE_S = 0.5
# Votes that one socket watches, and watchers who are told before others may go first.
MOST = 8
SLICE = 500


class WatchData(rest.StrictSerializer):
    """A proposal of the socket's campaign."""

    proposal = UUIDField()


class Unwatched(msgspec.Struct, frozen=True, kw_only=True):
    """The tally of this vote is told no more."""

    proposal: UUID


class Socket(Protocol):
    """What is told."""

    campaign_id: int

    def tell(self, frame: str, about: str) -> None:
        """An ephemeral frame; a newer one about the same replaces it as long as it waits."""


@dataclass(slots=True)
class _Watched:
    """A vote with watchers: each has been told of the tally up to this number of changes."""

    look: ballots.Look
    changes: int = 0
    sockets: dict[Socket, int] = field(default_factory=dict)


class Tallies:
    """One a process, on its event loop."""

    def __init__(self) -> None:
        self._votes: dict[UUID, _Watched] = {}
        # Lives as long as somebody watches.
        self._task: asyncio.Task[None] | None = None
        self._complained = False

    async def watch(self, socket: Socket, data: dict[str, Any], say: Callable[[TallyChanged], Awaitable[None]]) -> None:
        """Answer the tally, and from then on tell the socket of changes until the vote is over.

        Raises ProposalNotFound; Refused if the socket watches too many.
        """
        proposal: UUID = rest.validated(WatchData, data)["proposal"]
        watched = self._votes.get(proposal)
        if (watched is None or socket not in watched.sockets) and self._watching(socket) >= MOST:
            raise Refused("too-many-requests", f"A socket watches {MOST} votes at most.", temporary=True)
        look = watched.look if watched else await self._look(proposal)
        if look is None or look.campaign_id != socket.campaign_id:
            raise errors.ProposalNotFound
        await say(look.tally)
        if not look.is_over:
            # Only now, so that no change overtakes the answer. What has changed while it waited is told.
            watched = self._votes.setdefault(proposal, _Watched(look))
            same = watched.look.tally.ballots == look.tally.ballots
            watched.sockets[socket] = watched.changes if same else watched.changes - 1
            if self._task is None:
                self._task = asyncio.create_task(self._tell_on())

    async def unwatch(self, socket: Socket, data: dict[str, Any]) -> Unwatched:
        """Whether it was watched or not."""
        proposal: UUID = rest.validated(WatchData, data)["proposal"]
        self._forget(socket, proposal)
        return Unwatched(proposal=proposal)

    def discard(self, socket: Socket) -> None:
        """The socket has gone, whether it watched or not."""
        for proposal in list(self._votes):
            self._forget(socket, proposal)

    def _forget(self, socket: Socket, proposal: UUID) -> None:
        watched = self._votes.get(proposal)
        if watched is not None and watched.sockets.pop(socket, None) is not None and not watched.sockets:
            del self._votes[proposal]

    def _watching(self, socket: Socket) -> int:
        return sum(socket in watched.sockets for watched in self._votes.values())

    async def _look(self, proposal: UUID) -> ballots.Look | None:
        return (await threads.run(ballots.looks, proposals=[proposal])).get(proposal)

    async def _tell_on(self) -> None:
        while self._votes:
            await asyncio.sleep(PACE_S)
            try:
                for proposal, look in (await threads.run(ballots.looks, proposals=list(self._votes))).items():
                    if (watched := self._votes.get(proposal)) is not None:
                        await self._tell(proposal, watched, look)
                self._complained = False
            except Exception as error:  # the database is away; it is asked again
                if not self._complained:
                    log.warning("tallies can't be read: %r", error)
                self._complained = True
        # In the same step in which nobody was found, so that nobody who comes is left without it.
        self._task = None

    async def _tell(self, proposal: UUID, watched: _Watched, look: ballots.Look) -> None:
        watched.changes += watched.look.tally.ballots != look.tally.ballots
        watched.look = look
        frame = frames.ephemeral(EVENT, look.tally.at, look.tally)
        for number, (socket, told) in enumerate(list(watched.sockets.items()), 1):
            # Unless it went while others went first.
            if told != watched.changes and socket in watched.sockets:
                watched.sockets[socket] = watched.changes
                socket.tell(frame, about=f"{EVENT} {proposal}")
            if number % SLICE == 0:
                await asyncio.sleep(0)
        if look.is_over:
            self._votes.pop(proposal, None)


_tallies: Tallies | None = None


def here() -> Tallies:
    """This process's tallies."""
    global _tallies
    if _tallies is None:
        _tallies = Tallies()
    return _tallies
