"""Sockets that misbehave, each in its own manner, and what the server says to them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import socket as sockets
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from statistics import median, quantiles
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from config.client.sockets import dial
from config.soak import hostile
from config.soak.hostile import Words

# What one socket may send at once before it is too fast (config/socket.py); a little less.
WELL_WITHIN = 55
FLOOD = 400
SIP, SIP_S = 20, 0.4
PATIENCE_S = 10.0
# The caches and queues of a process fill in the first part of a run; after that its memory must stay where it is.
WARM_UP = 0.25
UPGRADE = (
    "GET /ws/v1/ HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: fivefortunes.v1.json\r\n\r\n"
)
DOCUMENTED = re.compile(r"^\| \d{3} \| `([a-z-]+)` \|", re.MULTILINE)


@dataclass(slots=True)
class Tally:
    """What was sent and answered. `closes` are the codes with which sockets ended, `codes` those of refusals."""

    wanted: int
    sent: int = 0
    sockets: int = 0
    results: int = 0
    seconds: float = 0.0
    before_mib: float = 0.0
    after_mib: float = 0.0
    manners: Counter[str] = field(default_factory=Counter)
    closes: Counter[int] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    gifts_s: list[float] = field(default_factory=list)
    warm: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, manner: str) -> None:
        """One frame more."""
        self.sent += 1
        self.manners[manner] += 1
        if self.sent >= WARM_UP * self.wanted:
            self.warm.set()

    @property
    def is_done(self) -> bool:
        return self.sent >= self.wanted

    def undocumented(self) -> dict[str, int]:
        """Codes of answers that no client should ever get."""
        from config import documents

        known = set(DOCUMENTED.findall(documents.DOCUMENTS["docs/errors.md"]())) - {"internal-error"}
        return {code: count for code, count in self.codes.items() if code not in known}

    def table(self) -> Iterator[str]:
        yield f"\n{self.sent:,} frames over {self.sockets:,} sockets in {self.seconds:.0f} s"
        yield f"  {'sent':<12}" + ", ".join(f"{name} {count:,}" for name, count in self.manners.most_common())
        yield f"  {'answered':<12}results {self.results:,}, " + ", ".join(
            f"{code} {count:,}" for code, count in self.codes.most_common()
        )
        yield f"  {'closed with':<12}" + ", ".join(f"{code}: {count:,}" for code, count in sorted(self.closes.items()))
        yield f"  {'memory':<12}{self.before_mib:.0f} MiB after the first quarter, {self.after_mib:.0f} MiB at the end"
        if len(self.gifts_s) > 1:
            worst = quantiles(self.gifts_s, n=20)[-1]
            yield (
                f"  {'meanwhile':<12}{len(self.gifts_s):,} gifts of two others arrived, "
                f"median {median(self.gifts_s) * 1000:.0f} ms, p95 {worst * 1000:.0f} ms"
            )


class Attack:
    """One socket after the other until the tally is full."""

    def __init__(
        self, base_url: str, campaign: str, tokens: Mapping[str, str], words: Words, tally: Tally, seed: str
    ) -> None:
        self._base_url = base_url
        self._campaign = campaign
        self._tokens = list(tokens.values())
        self._words = words
        self._tally = tally
        self._dice = Random(seed)
        self._manner = ""

    async def go_on(self) -> None:
        manners = [self.noise, self.mutants, self.wrong, self.right, self.flood, self.large, self.deaf, self.wire]
        while not self._tally.is_done:
            # Not always the least used, and so all of them about equally often.
            manner = min(self._dice.sample(manners, 3), key=lambda manner: self._tally.manners[manner.__name__])
            self._manner = manner.__name__
            # Whatever the server does to a socket like this is right, as long as it answers others.
            with contextlib.suppress(ConnectionClosed, InvalidHandshake, OSError, TimeoutError):
                async with asyncio.timeout(2 * PATIENCE_S):
                    await manner()
            self._tally.sockets += 1

    async def noise(self) -> None:
        """Anything, without or after a welcome."""
        async with self._socket(welcome=self._dice.random() < 0.5) as connection:
            for _ in range(self._dice.randint(1, 12)):
                await self._send(connection, hostile.noise(self._dice))

    async def mutants(self) -> None:
        async with self._socket() as connection:
            for number in range(WELL_WITHIN):
                frame = hostile.text(self._words.right(self._dice))
                # Five malformed ones in a row are the end; a good one in between goes on.
                await self._send(connection, frame if number % 4 == 3 else hostile.mutated(self._dice, frame))

    async def wrong(self) -> None:
        async with self._socket() as connection:
            for number in range(WELL_WITHIN):
                await self._send(connection, hostile.text(self._words.wrong(self._dice)))
                await _take_breath(number)

    async def right(self) -> None:
        async with self._socket() as connection:
            for number in range(WELL_WITHIN):
                await self._send(connection, hostile.text(self._words.right(self._dice)))
                await _take_breath(number)

    async def flood(self) -> None:
        async with self._socket() as connection:
            for number in range(FLOOD):
                await self._send(connection, f'{{"id": {number + 1}, "op": "ping"}}')

    async def large(self) -> None:
        async with self._socket(welcome=self._dice.random() < 0.5) as connection:
            for _ in range(3):
                await self._send(connection, hostile.large(self._dice))

    async def deaf(self) -> None:
        """Ask much, read nothing, and go without a word."""
        connection = await dial(self._base_url, max_queue=1, sock=small_socket(self._base_url))
        try:
            await self._send(connection, self._connect())
            for _ in range(WELL_WITHIN):
                await self._send(connection, hostile.text(self._words.right(self._dice)))
            await asyncio.sleep(self._dice.random())
        finally:
            connection.transport.abort()

    async def wire(self) -> None:
        """Bytes that are no frames at all."""
        parts = urlsplit(self._base_url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            key = base64.b64encode(self._dice.randbytes(16)).decode()
            writer.write(UPGRADE.format(host=parts.netloc, key=key).encode())
            await reader.readuntil(b"\r\n\r\n")
            for _ in range(self._dice.randint(1, 4)):
                writer.write(hostile.wire(self._dice))
                self._tally.note(self._manner)
                await writer.drain()
            async with asyncio.timeout(self._dice.random()):
                await reader.read()
        finally:
            writer.transport.abort()

    @asynccontextmanager
    async def _socket(self, *, welcome: bool = True) -> AsyncIterator[ClientConnection]:
        connection = await dial(self._base_url)
        reading = asyncio.create_task(self._read(connection))
        try:
            if welcome:
                await self._send(connection, self._connect())
            yield connection
            # What was sent is answered, or the socket is closed, or the server has nothing to say to it.
            await connection.send('{"id": 9007199254740992, "op": "ping"}')
            async with asyncio.timeout(PATIENCE_S if welcome else 0.2):
                await reading
        finally:
            await connection.close()
            await reading
            self._tally.closes[connection.close_code or 1006] += 1

    async def _read(self, connection: ClientConnection) -> None:
        """Until the last ping is answered or the socket is closed."""
        with contextlib.suppress(ConnectionClosed):
            async for message in connection:
                frame = json.loads(message)
                if "error" in frame:
                    self._tally.codes[frame["error"]["code"]] += 1
                self._tally.results += "result" in frame
                if trade := frame.get("data", {}).get("trade"):
                    self._words.heard(trade)
                if frame.get("id") == 2**53:
                    return

    def _connect(self) -> str:
        data = {"token": self._dice.choice(self._tokens), "campaign": self._campaign}
        return json.dumps({"id": 1, "op": "connect", "data": data})

    async def _send(self, connection: ClientConnection, frame: str | bytes) -> None:
        self._tally.note(self._manner)
        await connection.send(frame)


async def _take_breath(number: int) -> None:
    """So that commands are done, and not refused because too many wait."""
    if number % SIP == SIP - 1:
        await asyncio.sleep(SIP_S)


def small_socket(url: str) -> sockets.socket:
    """With so small a buffer that the server's fills soon."""
    parts = urlsplit(url)
    small = sockets.socket()
    small.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    small.connect((parts.hostname, parts.port))
    small.setblocking(False)
    return small
