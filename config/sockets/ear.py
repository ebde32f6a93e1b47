"""The listening side of the doorbell: one subscription a process, for all of its sockets.

It also knows whether it can hear: every few seconds it asks Redis, over the same connection, for a sign of life. While
none comes back, `healthy` is false, sockets live on polls, and the ear subscribes anew until it hears again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable
from itertools import islice
from typing import NoReturn

import msgspec
from django.conf import settings
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from config import doorbell

log = logging.getLogger("fortunes.socket")

# How long Redis may take for anything, and how often it is probed.
PATIENCE_S = 1.0
PROBE_S = 2.0
PAUSE_S = 1.0
# Channels that one command names.
AT_ONCE = 1000


class Ear:
    """Hears what is rung at the bells that it joined. Nothing here raises or waits long when Redis is ill."""

    def __init__(self, heard: Callable[[doorbell.Bell], None]) -> None:
        self.healthy = False
        self._heard = heard
        self._groups: set[str] = set()
        # What Redis is still to be told: whether we listen to a group; and who waits for that.
        self._changes: dict[str, bool] = {}
        self._joining: dict[str, asyncio.Future[None]] = {}
        self._changed = asyncio.Event()
        self._connected = False
        self._probing = False
        self._echo = asyncio.Event()
        self._complained = False

    async def join(self, group: str) -> None:
        """Returns once the group is heard, or when Redis takes too long for it."""
        if group not in self._groups:
            self._groups.add(group)
            self._joining[group] = asyncio.get_running_loop().create_future()
            self._change(group, listen=True)
        # Whoever comes second waits as well: the first one's joining may still be under way.
        if self._connected and (joining := self._joining.get(group)) is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await asyncio.shield(joining)

    def leave(self, group: str) -> None:
        self._groups.discard(group)
        self._joined(group)
        self._change(group, listen=False)

    async def listen(self) -> NoReturn:
        """Subscribe and listen for ever; after every failure from the start again."""
        while True:
            try:
                await self._listen()
            except Exception as error:  # whatever Redis and its client throw: sockets don't depend on it
                if not self._complained:
                    log.warning("Redis is out of reach, sockets poll every second: %r", error)
                self._complained = True
            self.healthy = self._connected = False
            for group in list(self._joining):
                self._joined(group)
            await asyncio.sleep(PAUSE_S)

    async def _listen(self) -> None:
        connection = _connection()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await connection.connect()
            self._connected, self._changes = True, {}
            for group in self._groups:
                self._change(group, listen=True)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive(connection))
                tasks.create_task(self._speak(connection))
                tasks.create_task(self._probe())
        finally:
            with contextlib.suppress(Exception):
                await connection.disconnect(nowait=True)

    def _change(self, group: str, *, listen: bool) -> None:
        if self._connected:
            self._changes[group] = listen
            self._changed.set()

    async def _speak(self, connection: AbstractConnection) -> NoReturn:
        """Tell Redis what has changed: of sockets that come and go together, one command for many."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            changes, self._changes = self._changes, {}
            for command, listen in (("SUBSCRIBE", True), ("UNSUBSCRIBE", False)):
                groups = iter([group for group, wanted in changes.items() if wanted is listen])
                while part := list(islice(groups, AT_ONCE)):
                    await connection.send_command(command, *map(doorbell.channel, part))
            if self._probing:
                # After the groups: its answer says that they are heard.
                self._probing = False
                await connection.send_command("PING")

    async def _receive(self, connection: AbstractConnection) -> NoReturn:
        while True:
            said = await connection.read_response(timeout=math.inf)
            if said == b"PONG" or said[0] == b"pong":
                self._echo.set()
            elif said[0] == b"message":
                # Of another version of ours what can't be read.
                with contextlib.suppress(msgspec.DecodeError):
                    self._heard(doorbell.heard(said[2]))
            elif said[0] == b"subscribe":
                self._joined(doorbell.group_of(said[1]))

    def _joined(self, group: str) -> None:
        if (joining := self._joining.pop(group, None)) is not None and not joining.done():
            joining.set_result(None)

    async def _probe(self) -> NoReturn:
        try:
            while True:
                self._echo.clear()
                self._probing = True
                self._changed.set()
                async with asyncio.timeout(PATIENCE_S):
                    await self._echo.wait()
                if self._complained:
                    log.warning("Redis is heard again")
                self.healthy, self._complained = True, False
                await asyncio.sleep(PROBE_S)
        finally:
            # At once: the subscription may take its time to end.
            self.healthy = False


def _connection() -> AbstractConnection:
    """A connection of its own, to wait on without an end; whoever asks for something else has a timeout."""
    pool: ConnectionPool = ConnectionPool.from_url(
        settings.REDIS_URL, protocol=2, socket_timeout=None, retry=Retry(NoBackoff(), 0)
    )
    connection: AbstractConnection = pool.make_connection()
    return connection
