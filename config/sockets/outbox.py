"""What leaves a socket: a short queue, and the task that writes it out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from config import metrics
from config.sockets.frames import Close

QUEUE = 64
# How long the queue of a client that doesn't read may stay full, and how long a close may take.
DRAIN_S = 10.0
PART_S = 5.0


class Outbox:
    """Frames in order, then a close. Nothing grows: who has more to say waits, and after 10 s the client is left.

    The task that writes lives only while there is something to write: thousands of sockets have nothing to say.
    """

    __slots__ = ("_abandon", "_queue", "_room", "_send", "_writing", "closing")

    def __init__(self, send: Callable[[dict[str, Any]], Awaitable[None]], abandon: Callable[[], None]) -> None:
        """`abandon` ends a socket whose client takes not even the close."""
        self.closing = False
        self._send = send
        self._abandon = abandon
        self._queue: deque[dict[str, Any]] = deque()
        # Made by the first who has to wait.
        self._room: asyncio.Event | None = None
        self._writing: asyncio.Task[None] | None = None

    async def say(self, frame: str) -> None:
        """Put a frame into the queue, once there is room."""
        if len(self._queue) >= QUEUE:
            await self._wait_for_room()
        if not self.closing:
            self._put({"type": "websocket.send", "text": frame})

    def close(self, code: Close, reason: str) -> None:
        """Close after what is queued already."""
        if self.closing:
            return
        self.closing = True
        self._put({"type": "websocket.close", "code": int(code), "reason": reason})
        if self._room is not None:
            self._room.set()
        asyncio.get_running_loop().call_later(PART_S, self._abandon)

    def stop(self) -> None:
        """The client is gone."""
        self.closing = True
        if self._writing is not None:
            self._writing.cancel()

    def _put(self, message: dict[str, Any]) -> None:
        self._queue.append(message)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        """Send until nothing is left, or the client is gone."""
        try:
            while self._queue:
                message = self._queue.popleft()
                if self._room is not None:
                    self._room.set()
                metrics.frame("out")
                await self._send(message)
        except OSError:
            # The server raises it when it's asked to send to a client that has left.
            self.closing = True
            self._queue.clear()
        # In the same step in which nothing more was found, so that nothing is left lying.
        self._writing = None

    async def _wait_for_room(self) -> None:
        if self._room is None:
            self._room = asyncio.Event()
        try:
            async with asyncio.timeout(DRAIN_S):
                while len(self._queue) >= QUEUE and not self.closing:
                    self._room.clear()
                    await self._room.wait()
        except TimeoutError:
            self.close(Close.TRY_AGAIN, "too-slow")
