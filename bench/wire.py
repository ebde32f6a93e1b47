"""A client that costs little, because it shares the machine with the servers that it measures.

It speaks just enough of HTTP/1.1 and of WebSocket for this API, whose answers always have a length and whose frames
are small. Apps use config/client, which costs ten times as much.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import struct
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
# In place of a frame's length: it follows in two bytes.
LONG = 126
# All frames of a client are masked. XOR with zeros costs nothing, and proxies that mind aren't here.
MASK = b"\0\0\0\0"
MASKED = 0x80


class Answer(NamedTuple):
    status: int
    body: bytes


class Lost(Exception):
    """The server has closed the connection."""


class Http(asyncio.Protocol):
    """One connection; a request after the other."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._waiting: asyncio.Future[Answer] | None = None
        self._transport: asyncio.Transport

    @classmethod
    async def open(cls, host: str, port: int) -> Http:
        _, protocol = await asyncio.get_running_loop().create_connection(cls, host, port)
        return protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def post(self, path: str, token: str, body: bytes, key: str) -> asyncio.Future[Answer]:
        self._waiting = asyncio.get_running_loop().create_future()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nIdempotency-Key: {key}\r\n"
            f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._transport.write(head.encode() + body)
        return self._waiting

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._buffer[:end]).lower()
        _, _, rest = head.partition(b"content-length:")
        length = int(rest.partition(b"\r\n")[0])
        if len(self._buffer) < end + 4 + length:
            return
        body = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(Answer(int(head[9:12]), body))

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(Lost("http"))

    @property
    def is_open(self) -> bool:
        """A server hangs up on who has been idle for some seconds."""
        return not self._transport.is_closing()

    def close(self) -> None:
        self._transport.close()


class Socket(asyncio.Protocol):
    """One WebSocket. `heard` is called with the text of each frame."""

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self.lost: str | None = None
        self._heard = heard
        self._buffer = bytearray()
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport

    @classmethod
    async def open(cls, host: str, port: int, heard: Callable[[bytes], None]) -> Socket:
        """Dial and shake hands. Raises OSError or Lost."""
        _, socket = await asyncio.get_running_loop().create_connection(lambda: cls(heard), host, port)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        socket._transport.write(
            f"GET /ws/v1/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: fivefortunes.v1.json\r\n\r\n".encode()
        )
        await socket._opened
        return socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def send(self, text: bytes, kind: int = TEXT) -> None:
        size = len(text)
        length = bytes([MASKED | size]) if size < LONG else bytes([MASKED | LONG]) + struct.pack(">H", size)
        self._transport.write(bytes([0x80 | kind]) + length + MASK + text)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._opened.done():
            self._shake_hands()
        if self._opened.done():
            self._take_frames()

    def _shake_hands(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        if self._buffer.startswith(b"HTTP/1.1 101"):
            del self._buffer[: end + 4]
            self._opened.set_result(None)
        else:
            self._opened.set_exception(Lost(bytes(self._buffer[:12]).decode()))

    def _take_frames(self) -> None:
        buffer = self._buffer
        start = 0
        while len(buffer) - start >= 2:
            kind, size, begin = buffer[start] & 0x0F, buffer[start + 1], start + 2
            if size == LONG:
                size, begin = int.from_bytes(buffer[begin : begin + 2], "big"), begin + 2
            elif size > LONG:
                raise ValueError("a frame of more than 64 KiB")
            if len(buffer) < begin + size:
                break
            start = begin + size
            self._take(kind, bytes(buffer[begin:start]))
        del buffer[:start]

    def _take(self, kind: int, content: bytes) -> None:
        if kind == TEXT:
            self._heard(content)
        elif kind == PING:
            self.send(content, PONG)
        elif kind == CLOSE:
            self.lost = f"{int.from_bytes(content[:2], 'big')} {content[2:].decode()}"
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = self.lost or f"cut: {error!r}"
        if not self._opened.done():
            self._opened.set_exception(Lost(self.lost))

    def cut(self) -> None:
        """As when a phone loses its network: no goodbye."""
        self._transport.abort()


class Pool:
    """Idle HTTP connections to one server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: deque[Http] = deque()

    async def fill(self, count: int) -> None:
        self._idle.extend([await Http.open("127.0.0.1", self._port) for _ in range(count)])

    async def post(self, path: str, token: str, body: bytes, key: str) -> Answer:
        connection = self._take() or await Http.open("127.0.0.1", self._port)
        try:
            return await connection.post(path, token, body, key)
        finally:
            self._idle.append(connection)

    def _take(self) -> Http | None:
        """The one that was used last, and not one that is about to be hung up on."""
        while self._idle:
            if (connection := self._idle.pop()).is_open:
                return connection
        return None
