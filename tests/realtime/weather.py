"""Bad weather between a client and a server: a relay that loses, holds back, drips, cuts and leads elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.realtime.servers import Server


class Relay:
    """`answers` is set while what the server says gets through; `drip_s` is the pause between single bytes to it."""

    def __init__(self, server: Server) -> None:
        self.url = ""
        self.drip_s = 0.0
        self.answers = asyncio.Event()
        self.answers.set()
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._server: Server | None = server
        self._open: set[asyncio.StreamWriter] = set()

    def lead_to(self, server: Server | None) -> None:
        """Where connections go from now on; without a server they are cut at once."""
        self._server = server

    def freeze(self) -> None:
        """Nothing gets through any more, in either direction, and nobody is told."""
        self.answers.clear()
        self._thawed.clear()

    def cut(self) -> None:
        """All connections at once, without a goodbye, on both sides."""
        for writer in list(self._open):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, there[1]}
        pumps = [
            asyncio.create_task(self._pump(reader, there[1], is_answer=False)),
            asyncio.create_task(self._pump(there[0], writer, is_answer=True)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            for end in (writer, there[1]):
                end.transport.abort()
            self._open -= {writer, there[1]}

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._server is None:
            raise ConnectionRefusedError
        host, _, port = self._server.url.removeprefix("http://").partition(":")
        return await asyncio.open_connection(host, int(port))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            while part := await source.read(65536):
                await self._thawed.wait()
                if is_answer:
                    await self.answers.wait()
                for piece in [part[i : i + 1] for i in range(len(part))] if self._drips(is_answer) else [part]:
                    sink.write(piece)
                    await sink.drain()
                    if self._drips(is_answer):
                        await asyncio.sleep(self.drip_s)

    def _drips(self, is_answer: bool) -> bool:
        return self.drip_s > 0 and not is_answer


@asynccontextmanager
async def relay(server: Server) -> AsyncIterator[Relay]:
    between = Relay(server)
    listening = await asyncio.start_server(between.serve, "127.0.0.1", 0)
    between.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield between
    finally:
        listening.close()
        between.cut()
