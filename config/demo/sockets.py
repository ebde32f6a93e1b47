"""The socket as an app would speak it: one connection, and a line that is opened again whenever it is lost.

It knows nothing of Django; docs/realtime.md describes the protocol.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from time import monotonic
from typing import Any, Self

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from config.demo.outages import Outage

SUBPROTOCOL = Subprotocol("fivefortunes.v1.json")
PATIENCE_S = 20.0
LONGEST_PAUSE_S = 4.0
# How often a request or a command is sent until there is an answer: half a minute with the pauses between.
ATTEMPTS = 20
# After these closes the same connect would be closed again.
FINAL = frozenset({4400, 4403, 4406, 4429})
# The server went away, restarts or stumbled.
ACCIDENTS = frozenset({1001, 1006, 1011, 1012, 1013})


class Refused(Exception):
    """The server said no; `code` is stable and listed in docs/errors.md. `status` is 0 on a socket."""

    def __init__(
        self, code: str, body: Mapping[str, Any], *, status: int = 0, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{status or 'socket'} {code}: {body.get('detail') or body.get('message') or ''}")
        self.code = code
        self.body = body
        self.status = status
        self.retry_after = retry_after


class Lost(Exception):
    """The socket is closed. A command that has no answer yet may have been done: send it again with its key."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason


class Position(msgspec.Struct):
    """The last numbers of both feeds that were taken, and the history that they belong to."""

    seq: int
    campaign_seq: int
    epoch: str | None = None


class Welcome(msgspec.Struct, kw_only=True):
    """The answer to `connect`. Without `recovered` there is a gap before `seq`: fetch by REST what you show."""

    recovered: bool
    epoch: str
    seq: int
    campaign_seq: int
    player: str
    campaign: str
    ping_s: float
    expires_at: str
    server_time: str


class Push(msgspec.Struct, kw_only=True):
    """What the server tells by itself: an event of the player's has `seq`, a broadcast has `campaign_seq`."""

    event: str
    at: str
    data: dict[str, Any]
    campaign: str | None = None
    seq: int | None = None
    campaign_seq: int | None = None


async def dial(base_url: str, **options: Any) -> ClientConnection:
    """A bare connection to the socket's address; `options` are those of `websockets`."""
    address = f"ws{base_url.removeprefix('http')}/ws/v1/"
    # No proxy of the environment: the servers are this machine's.
    return await connect(address, **{"subprotocols": [SUBPROTOCOL], "compression": None, "proxy": None, **options})


class Socket:
    """One connection. `position` is where to resume after the last push that `next` gave."""

    def __init__(self, connection: ClientConnection) -> None:
        self.welcome: Welcome
        self.position = Position(0, 0)
        self.lost: Lost | None = None
        self._connection = connection
        self._pushes: asyncio.Queue[Push | None] = asyncio.Queue()
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._last_id = 0
        self._reader = asyncio.create_task(self._read())
        self._pinger: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, base_url: str, token: str, campaign: str, *, resume: Position | None = None, **options: Any
    ) -> Self:
        """Connect and be welcomed. Raises Refused or Lost, and OSError where nobody listens."""
        socket = cls(await dial(base_url, **options))
        try:
            await socket._connect(token, campaign, resume)
        except BaseException:
            await socket.close()
            raise
        return socket

    async def command(self, op: str, data: Mapping[str, Any] | None = None) -> Any:
        """The answer's result. Raises Refused, Lost, or TimeoutError."""
        self._last_id += 1
        command_id = self._last_id
        self._answers[command_id] = asyncio.get_running_loop().create_future()
        try:
            await self.send({"id": command_id, "op": op, "data": data or {}})
            async with asyncio.timeout(PATIENCE_S):
                return await self._answers[command_id]
        finally:
            del self._answers[command_id]

    async def send(self, frame: Any) -> None:
        """Any frame; text and bytes go as they are."""
        message = frame if isinstance(frame, str | bytes) else msgspec.json.encode(frame).decode()
        try:
            await self._connection.send(message)
        except ConnectionClosed as error:
            raise _lost(error) from error

    async def next(self, within_s: float | None = PATIENCE_S) -> Push:
        """The next push. Raises Lost when there are none left, or TimeoutError."""
        async with asyncio.timeout(within_s):
            push = await self._pushes.get()
        if push is None:
            self._pushes.put_nowait(None)
            raise self.lost or Lost(1006, "")
        if push.seq is not None:
            self.position.seq = push.seq
        if push.campaign_seq is not None:
            self.position.campaign_seq = push.campaign_seq
        return push

    async def wait_lost(self) -> Lost:
        """How the socket was closed, once it is."""
        await asyncio.wait([self._reader])
        return self.lost or Lost(1006, "")

    async def close(self) -> None:
        if self._pinger:
            self._pinger.cancel()
        await self._connection.close()
        await asyncio.wait([self._reader])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _connect(self, token: str, campaign: str, resume: Position | None) -> None:
        data = {"token": token, "campaign": campaign, "resume": resume and msgspec.to_builtins(resume)}
        self.welcome = msgspec.convert(await self.command("connect", data), Welcome)
        begin = resume if resume and self.welcome.recovered else self.welcome
        self.position = Position(begin.seq, begin.campaign_seq, self.welcome.epoch)
        self._pinger = asyncio.create_task(self._ping())

    async def _read(self) -> None:
        try:
            async for text in self._connection:
                self._take(msgspec.json.decode(text))
        except ConnectionClosed:
            pass
        self.lost = Lost(self._connection.close_code or 1006, self._connection.close_reason or "")
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(self.lost)
        self._pushes.put_nowait(None)

    def _take(self, frame: dict[str, Any]) -> None:
        if "event" in frame:
            self._pushes.put_nowait(msgspec.convert(frame, Push))
            return
        answer = self._answers.get(frame["id"])
        if answer is None or answer.done():
            return
        if "error" in frame:
            error = frame["error"]
            answer.set_exception(Refused(error["code"], error, retry_after=error["retry_after"]))
        else:
            answer.set_result(frame["result"])

    async def _ping(self) -> None:
        """The server gives up clients that are silent for long."""
        with contextlib.suppress(Lost):
            while True:
                await asyncio.sleep(self.welcome.ping_s)
                with contextlib.suppress(Refused, TimeoutError):
                    await self.command("ping")


class Line:
    """A socket that is opened again and resumed whenever it's lost, until `hang_up`.

    `reconnects` counts that, and `outages` are those that the server's end caused, until the next welcome. `gaps`
    counts how often the server couldn't say what was missed. The answer of a command whose socket was lost is asked for
    again, under the same key.
    """

    def __init__(
        self, base_url: str, token: Callable[[], Awaitable[str]], campaign: str, position: Position | None
    ) -> None:
        """`token` gives a token that is still good."""
        self.reconnects = self.gaps = self.repeats = 0
        self.outages: list[Outage] = []
        self.position = position
        self._base_url = base_url
        self._token = token
        self._campaign = campaign
        self._socket: Socket | None = None
        self._connected = asyncio.Event()
        self._over = False
        self._lost_at: float | None = None

    async def pushes(self) -> AsyncIterator[Push]:
        """Every push, in order, each once, across reconnects. Must run for commands to find a socket."""
        while not self._over:
            async with await self._open() as socket:
                with contextlib.suppress(Lost):
                    while not self._over:
                        push = await socket.next(within_s=None)
                        self.position = socket.position
                        yield push
            self._connected.clear()
            self.reconnects += not self._over
            if socket.lost and socket.lost.code in FINAL:
                raise socket.lost
            if socket.lost and socket.lost.code in ACCIDENTS and not self._over:
                self._lost_at = monotonic()

    async def command(self, op: str, data: Mapping[str, Any]) -> Any:
        """The answer's result. `data` needs a key if the command changes anything. Raises Refused."""
        for attempt in range(ATTEMPTS):
            await self._connected.wait()
            if self._socket is None:
                raise Lost(1000, "hung up")
            self.repeats += attempt > 0
            try:
                return await self._socket.command(op, data)
            except (Lost, TimeoutError):
                await pause(attempt)
            except Refused as refused:
                if not refused.body["temporary"]:
                    raise
                await pause(attempt, refused.retry_after)
        raise Lost(1006, "no answer")

    async def drop(self) -> None:
        """Lose the connection, as in a tunnel. It is opened again."""
        if self._socket:
            await self._socket.close()

    async def hang_up(self) -> None:
        self._over = True
        if self._socket:
            await self._socket.close()

    async def _open(self) -> Socket:
        attempt = 0
        while True:
            try:
                socket = await Socket.open(self._base_url, await self._token(), self._campaign, resume=self.position)
                break
            except (OSError, Lost, TimeoutError, InvalidHandshake, Refused) as error:
                if isinstance(error, Lost) and error.code in FINAL:
                    raise
                if isinstance(error, Refused) and not error.body.get("temporary"):
                    raise
                await pause(attempt)
                attempt += 1
        self.gaps += self.position is not None and not socket.welcome.recovered
        self._socket, self.position = socket, socket.position
        if self._lost_at is not None:
            self.outages.append(Outage("socket", self._lost_at, monotonic()))
            self._lost_at = None
        self._connected.set()
        return socket


async def pause(attempt: int, at_least: float | None = None) -> None:
    """Longer from attempt to attempt, and never all clients at once."""
    longest = min(0.1 * 2**attempt, LONGEST_PAUSE_S)
    await asyncio.sleep((at_least or 0) + random.uniform(0, longest))


def _lost(error: ConnectionClosed) -> Lost:
    closed = error.rcvd or error.sent
    return Lost(closed.code, closed.reason) if closed else Lost(1006, "")
