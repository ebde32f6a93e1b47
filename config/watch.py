"""The sockets of this process: who is connected, and what keeps them right without any doorbell.

Every 10 s, every second while Redis is ill, one query compares the feeds of all connected players. Every few seconds
it is looked whose token has expired, who was shut out or has signed out, and who has fallen silent.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NoReturn, Protocol
from uuid import UUID

from django.conf import settings

from accounts.models import Player, RefreshFamily
from config import presence
from config.doorbell import Bell, group
from config.sockets import ear, entrance, frames, shares, tallies
from config.sockets.frames import Close, Refused
from fortunes import clock, threads
from fortunes.actions import feeds

log = logging.getLogger("fortunes.socket")

MOST_SOCKETS = 5
# How many share one call. Its work holds up others; and a page of events for each makes some megabytes.
SOCKETS_A_CALL = 50
FEEDS_A_CALL = 100
TICK_S = 1.0
# With what `accounts.tokens` remembers this makes less than five seconds, even for a socket that came in meanwhile.
SHUT_OUT_TICKS = 2
PING_S = 25
# A client that has missed this many pings is gone, whatever TCP says.
SILENCE_S = 3 * PING_S


class Socket(Protocol):
    """A connected socket, as far as it is watched.

    `session` and `expires_at` are its token's; `heard_at` is by the loop's clock.
    """

    player_id: int
    campaign_id: int
    session: UUID | None
    expires_at: datetime
    heard_at: float

    def wake(self, kind: str, seq: int) -> None:
        """The feed, 'player' or 'campaign', is at this number: send what is missing."""

    def tell(self, frame: str, about: str) -> None:
        """An ephemeral frame: it has no number, and a newer one about the same replaces it as long as it waits."""

    def shut(self, code: Close, reason: str) -> None:
        """Close it."""


class Watch:
    """One a process, on its event loop."""

    def __init__(self) -> None:
        self._sockets: dict[str, dict[int, set[Socket]]] = {"player": defaultdict(set), "campaign": defaultdict(set)}
        self._shares = shares.Shares(self._tell_campaign)
        self._ear = ear.Ear(self._heard)
        self._reading: dict[tuple[int, int, int], asyncio.Task[list[tuple[int, str]]]] = {}
        # What many sockets ask at the same time is asked of the database once.
        self.admit = threads.Gathered(entrance.admit, most=SOCKETS_A_CALL)
        self.place = threads.Gathered(entrance.places, most=SOCKETS_A_CALL)
        self.pong = threads.Gathered(entrance.pongs, most=SOCKETS_A_CALL)
        self.events_after = threads.Gathered(feeds.read_on, most=FEEDS_A_CALL)
        self._complained = False
        # The loop keeps no strong reference to a task.
        self._tasks = (asyncio.create_task(self._ear.listen()), asyncio.create_task(self._tick_forever()))

    async def add(self, socket: Socket) -> None:
        """From now on the socket is woken. Read its position after this. Refused if the player has too many."""
        if len(self._sockets["player"][socket.player_id]) >= MOST_SOCKETS:
            detail = f"A player has {MOST_SOCKETS} sockets at most."
            raise Refused("too-many-requests", detail, close=Close.TOO_FAST)
        for kind, feed_id in _feeds_of(socket):
            self._sockets[kind][feed_id].add(socket)
        presence.here().came(socket.player_id)
        for kind, feed_id in _feeds_of(socket):
            # Every one and not just the first: that one's joining may still be under way.
            await self._ear.join(group(kind, feed_id))

    async def discard(self, socket: Socket) -> None:
        presence.here().discard(socket)
        tallies.here().discard(socket)
        for kind, feed_id in _feeds_of(socket):
            sockets = self._sockets[kind][feed_id]
            sockets.discard(socket)
            if not sockets:
                del self._sockets[kind][feed_id]
                if kind == "player":
                    presence.here().went(feed_id)
                self._ear.leave(group(kind, feed_id))

    async def broadcasts_after(self, campaign_id: int, seq: int, *, until: int) -> list[tuple[int, str]]:
        """Numbers and frames that follow `seq`. Sockets that want the same at the same time share one query.

        `until` is a number that is known to be committed: who asks for another doesn't share, so that nobody gets the
        answer of a query that began before their doorbell rang.
        """
        key = (campaign_id, seq, until)
        reading = self._reading.get(key)
        if reading is None:
            reading = self._reading[key] = asyncio.create_task(_read_broadcasts(campaign_id, seq))
            reading.add_done_callback(lambda _: self._reading.pop(key))
        return await asyncio.shield(reading)

    def _heard(self, bell: Bell) -> None:
        if bell.kind == "share":
            self._shares.heard(bell.id)
            return
        for socket in list(self._sockets.get(bell.kind, {}).get(bell.id, ())):
            socket.wake(bell.kind, bell.seq)

    def _tell_campaign(self, campaign_id: int, frame: str) -> None:
        for socket in list(self._sockets["campaign"].get(campaign_id, ())):
            socket.tell(frame, about=shares.EVENT)

    def _all(self) -> Iterator[Socket]:
        for sockets in list(self._sockets["player"].values()):
            yield from list(sockets)

    async def _tick_forever(self) -> NoReturn:
        for number in itertools.count(1):
            await asyncio.sleep(TICK_S)
            try:
                await self._tick(number)
                self._complained = False
            except Exception as error:  # the database is away; it is asked again at the next tick
                if not self._complained:
                    log.warning("the sockets can't be watched over: %r", error)
                self._complained = True
        raise AssertionError("counting has no end")

    async def _tick(self, number: int) -> None:
        if not self._sockets["player"]:
            return
        self._close_silent()
        if number % settings.SOCKET_POLL_S == 0 or not self._ear.healthy:
            await self._compare()
        if number % SHUT_OUT_TICKS == 0:
            await self._close_shut_out()
            await self._close_signed_out()
        await self._close_expired()

    async def _compare(self) -> None:
        players = await threads.run(feeds.player_positions, players=list(self._sockets["player"]))
        campaigns = await threads.run(feeds.campaign_positions, campaigns=list(self._sockets["campaign"]))
        for kind, positions in (("player", players), ("campaign", campaigns)):
            for feed_id, seq in positions.items():
                self._heard(Bell(kind, feed_id, seq))
        await self._shares.compare(list(self._sockets["campaign"]))

    async def _close_shut_out(self) -> None:
        for player in await threads.run(_shut_out, list(self._sockets["player"])):
            for socket in list(self._sockets["player"].get(player, ())):
                socket.shut(Close.FORBIDDEN, "shut-out")

    async def _close_signed_out(self) -> None:
        """Whoever signed out, here or on another process, or whose refresh token was used twice."""
        sessions = {socket.session for socket in self._all() if socket.session is not None}
        alive = await threads.run(_alive, sessions)
        for socket in self._all():
            # Not those that came or changed their token while the database was asked.
            if socket.session in sessions - alive:
                socket.shut(Close.NOT_SIGNED_IN, "signed-out")

    async def _close_expired(self) -> None:
        now = await threads.run(clock.estimate)
        for socket in self._all():
            if socket.expires_at <= now:
                socket.shut(Close.NOT_SIGNED_IN, "token-expired")

    def _close_silent(self) -> None:
        since = asyncio.get_running_loop().time() - SILENCE_S
        for socket in self._all():
            if socket.heard_at < since:
                socket.shut(Close.TIMEOUT, "silent")


def _feeds_of(socket: Socket) -> tuple[tuple[str, int], ...]:
    return ("player", socket.player_id), ("campaign", socket.campaign_id)


def _shut_out(players: Collection[int]) -> list[int]:
    return list(Player.objects.filter(pk__in=players, is_active=False).values_list("pk", flat=True))


def _alive(sessions: Collection[UUID]) -> set[UUID]:
    good = RefreshFamily.objects.filter(public_id__in=sessions, revoked_at=None)
    return set(good.values_list("public_id", flat=True))


async def _read_broadcasts(campaign_id: int, seq: int) -> list[tuple[int, str]]:
    notices = await threads.run(feeds.broadcasts_after, campaign_id=campaign_id, seq=seq)
    return [(notice.seq, frames.broadcast(notice)) for notice in notices]


_watch: Watch | None = None


def figures() -> tuple[int, bool | None]:
    """How many sockets are open, and whether the doorbell is heard; None before the first socket."""
    return (0, None) if _watch is None else (sum(1 for _ in _watch._all()), _watch._ear.healthy)


def here() -> Watch:
    """This process's watch, begun with its first socket."""
    global _watch
    if _watch is None:
        _watch = Watch()
    return _watch
