"""What leaves a socket: a short queue and the one task that writes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from config import metrics
from config.sockets.frames import Close

QUEUE = 64
# How long the queue of a client that doesn't read may stay full, and how long a close may take.
DRAIN_S = 10.0
PART_S = 5.0


class Outbox:
    """Frames in order, then a close. Nothing grows: who has more to say waits, and after 10 s the client is left."""

    def __init__(self, send: Callable[[dict[str, Any]], Awaitable[None]], abandon: Callable[[], None]) -> None:
        """`abandon` ends a socket whose client takes not even the close."""
        self.closing = False
        self._send = send
        self._abandon = abandon
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(QUEUE)

    async def say(self, frame: str) -> None:
        """Put a frame into the queue, once there is room."""
        if self.closing:
            return
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._queue.put({"type": "websocket.send", "text": frame})
        except TimeoutError:
            self.close(Close.TRY_AGAIN, "too-slow")

    def close(self, code: Close, reason: str) -> None:
        """Close after what is queued already."""
        if self.closing:
            return
        self.closing = True
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait({"type": "websocket.close", "code": int(code), "reason": reason})
        asyncio.get_running_loop().call_later(PART_S, self._abandon)

    async def write(self) -> None:
        """Send until the close has been sent or the client is gone."""
        message: dict[str, Any] = {"type": ""}
        # The server raises OSError when it's asked to send to a client that has left.
        with contextlib.suppress(OSError):
            while message["type"] != "websocket.close":
                message = await self._queue.get()
                metrics.frame("out")
                await self._send(message)
