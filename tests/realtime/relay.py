"""What stands between clients and servers in production: an address that stays, whichever process is behind it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self
from urllib.parse import urlsplit

from tests.realtime.servers import Server


class Relay:
    """A load balancer with one server at a time, or none for a while."""

    def __init__(self, server: Server) -> None:
        self.url = ""
        self._server: Server | None = server
        self._listening: asyncio.Server
        self._tasks: set[asyncio.Task[None]] = set()
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listening.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listening.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def lead_to(self, server: Server | None) -> None:
        """Where connections go from now on; without a server they are cut at once."""
        self._server = server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving: asyncio.Task[None] | None = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        with contextlib.suppress(OSError), contextlib.closing(writer):
            if self._server is None:
                return
            address = urlsplit(self._server.url)
            far_reader, far_writer = await asyncio.open_connection(address.hostname, address.port)
            with contextlib.closing(far_writer):
                ways = [asyncio.create_task(_copy(reader, far_writer)), asyncio.create_task(_copy(far_reader, writer))]
                self._tasks.update(ways)
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in ways:
                    way.cancel()
                    self._tasks.discard(way)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
