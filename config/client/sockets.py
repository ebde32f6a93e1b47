"""The socket as an app would speak it: one connection. docs/realtime.md describes the protocol."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Self, TypeVar

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from config.client.operations import Operation
from config.client.pushes import Push
from config.client.shapes import Presence
from config.client.verbs import Verbs
from config.client.votes import Tally, Unwatched

T = TypeVar("T")

SUBPROTOCOL = Subprotocol("fivefortunes.v1.json")
PATIENCE_S = 20.0


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
    ping_s: int
    expires_at: str
    server_time: str


async def dial(base_url: str, **options: Any) -> ClientConnection:
    """A bare connection to the socket's address; `options` are those of `websockets`."""
    address = f"ws{base_url.removeprefix('http')}/ws/v1/"
    # No proxy of the environment: the servers are this machine's.
    return await connect(address, **{"subprotocols": [SUBPROTOCOL], "compression": None, "proxy": None, **options})


class Pong(msgspec.Struct, kw_only=True):
    """The answer to `ping`: the newest numbers. Pushes up to there follow unless they came before."""

    seq: int
    campaign_seq: int
    server_time: str


class Renewed(msgspec.Struct, kw_only=True):
    """The answer to `token.refresh`."""

    expires_at: str


class Commands(Verbs):
    """Verbs by commands, each under a key."""

    @abstractmethod
    async def command(self, op: str, data: Mapping[str, Any] | None = None) -> Any:
        """The answer's result, as it came."""

    async def act(self, operation: Operation[T], key: str | None, **words: Any) -> T:
        if operation.op is None:
            raise TypeError(f"{operation.path} has no command")
        given = {name: value for name, value in words.items() if value is not None}
        found = await self.command(operation.op, {**given, "key": key or secrets.token_hex(16)})
        return msgspec.convert(found, operation.answer)

    async def ping(self) -> Pong:
        return msgspec.convert(await self.command("ping"), Pong)

    async def watch_presence(self) -> Presence:
        """Which friends are online; from now on `presence.changed` tells who comes and goes."""
        return msgspec.convert(await self.command("presence.watch"), Presence)

    async def watch_tally(self, proposal: str) -> Tally:
        """How a vote stands; from now on `tally.changed` tells how it goes on."""
        return msgspec.convert(await self.command("tally.watch", {"proposal": proposal}), Tally)

    async def unwatch_tally(self, proposal: str) -> Unwatched:
        return msgspec.convert(await self.command("tally.unwatch", {"proposal": proposal}), Unwatched)


class Socket(Commands):
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

    async def renew(self, token: str) -> Renewed:
        """Go on with a newer token of the same player."""
        return msgspec.convert(await self.command("token.refresh", {"token": token}), Renewed)

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
        """The server gives up clients that are silent for long. Where no answer comes, nobody is there any more."""
        with contextlib.suppress(Lost):
            while True:
                await asyncio.sleep(self.welcome.ping_s)
                try:
                    await self.command("ping")
                except Refused:
                    continue
                except TimeoutError:
                    await self._connection.close()
                    return


def _lost(error: ConnectionClosed) -> Lost:
    closed = error.rcvd or error.sent
    return Lost(closed.code, closed.reason) if closed else Lost(1006, "")
