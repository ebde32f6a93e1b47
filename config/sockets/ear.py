"""The listening side of the doorbell: one subscription a process, for all of its sockets.

It also knows whether it can hear: a note to itself goes through Redis every few seconds. While none comes back,
`healthy` is false, sockets live on polls, and the ear subscribes anew until it hears again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from channels.layers import get_channel_layer

log = logging.getLogger("fortunes.socket")

# How long Redis may take for anything, and how often it is probed.
PATIENCE_S = 1.0
PROBE_S = 2.0
PAUSE_S = 1.0

Message = Mapping[str, Any]


class Ear:
    """Hears what is sent to the groups that it joined. Nothing here raises or waits long when Redis is ill."""

    def __init__(self, heard: Callable[[Message], None]) -> None:
        self.healthy = False
        self._heard = heard
        self._groups: set[str] = set()
        self._channel: str | None = None
        self._echo = asyncio.Event()
        self._complained = False

    async def join(self, group: str) -> None:
        self._groups.add(group)
        if self._channel:
            await self._try(get_channel_layer().group_add, group, self._channel)

    async def leave(self, group: str) -> None:
        self._groups.discard(group)
        if self._channel:
            await self._try(get_channel_layer().group_discard, group, self._channel)

    async def listen(self) -> NoReturn:
        """Subscribe and listen for ever; after every failure from the start again."""
        while True:
            try:
                await self._listen()
            except Exception as error:  # whatever Redis and its client throw: sockets don't depend on it
                if not self._complained:
                    log.warning("Redis is out of reach, sockets poll every second: %r", error)
                self._complained = True
            self.healthy, self._channel = False, None
            await asyncio.sleep(PAUSE_S)

    async def _listen(self) -> None:
        layer = get_channel_layer()
        async with asyncio.timeout(PATIENCE_S):
            # Connections that went bad with the last subscription must not be met again.
            await layer.flush()
        async with asyncio.timeout(PATIENCE_S):
            channel = await layer.new_channel("ear.")
        joined: set[str] = set()
        while missing := self._groups - joined:
            for group in missing:
                async with asyncio.timeout(PATIENCE_S):
                    await layer.group_add(group, channel)
            joined |= missing
        # No await since the last look at the groups: who joins from now on sees the channel.
        self._channel = channel
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._receive(channel))
            tasks.create_task(self._probe(channel))

    async def _receive(self, channel: str) -> NoReturn:
        layer = get_channel_layer()
        while True:
            message = await layer.receive(channel)
            if message["type"] == "echo":
                self._echo.set()
            else:
                self._heard(message)

    async def _probe(self, channel: str) -> NoReturn:
        try:
            while True:
                await self._echoed(channel)
                if self._complained:
                    log.warning("Redis is heard again")
                self.healthy, self._complained = True, False
                await asyncio.sleep(PROBE_S)
        finally:
            # At once: the subscription may take its time to end.
            self.healthy = False

    async def _echoed(self, channel: str) -> None:
        self._echo.clear()
        async with asyncio.timeout(PATIENCE_S):
            await get_channel_layer().send(channel, {"type": "echo"})
            await self._echo.wait()

    async def _try(self, call: Callable[..., Any], *args: Any) -> None:
        """What fails here shows at the next probe, which then begins anew."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(PATIENCE_S):
                await call(*args)
