"""A socket that stays: it is opened again and resumed whenever it is lost. It knows nothing of Django."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from datetime import datetime
from time import monotonic
from typing import Any, Protocol

import httpx
from websockets.exceptions import InvalidHandshake

from config.client.outages import Outage
from config.client.pauses import ATTEMPTS, is_worth_waiting, pause
from config.client.pushes import Push
from config.client.shapes import Presence
from config.client.sockets import Commands, Lost, Position, Refused, Socket, Welcome
from config.client.votes import Tally

# After these closes the same connect would be closed again.
FINAL = frozenset({1009, 4400, 4403, 4406, 4429})
# The server went away, restarts or stumbled.
ACCIDENTS = frozenset({1001, 1006, 1011, 1012, 1013})
# Everybody is told this at the same moment, and shall not be back at the same moment.
RESTARTING = 1012
SIGNED_OUT = 4401
# With a new token these may be let in.
TOKEN_REFUSED = frozenset({"token-expired", "token-invalid"})
# A token is renewed this long before it expires.
MARGIN_S = 10.0
# A socket that is lost sooner than this is not opened again at once.
SETTLED_S = 5.0


# Pushes won't make up for what was missed: fetch by REST what is shown. They go on when this returns.
Fetch = Callable[[Welcome], Awaitable[None]]


class GiveToken(Protocol):
    """A token that is still good, and another one than was `refused`."""

    async def __call__(self, refused: str = "") -> str: ...


class Line(Commands):
    """A socket that is opened again and resumed whenever it's lost, until `hang_up`.

    `position` is that of the last push that was processed; who keeps it can resume after a restart of the app.
    `reconnects` counts, and `outages` are those that the server's end caused, until the next welcome. `gaps` counts
    how often the server couldn't say what was missed. A command whose socket was lost is sent again under the same key.
    """

    def __init__(
        self,
        base_url: str,
        token: GiveToken,
        campaign: str,
        position: Position | None,
        *,
        fetch: Fetch | None = None,
    ) -> None:
        self.reconnects = self.gaps = self.repeats = self.doubles = 0
        self.outages: list[Outage] = []
        self.position = position
        self._base_url = base_url
        self._token = token
        self._campaign = campaign
        self._fetch = fetch
        self._socket: Socket | None = None
        self._connected = asyncio.Event()
        self._over = False
        self._lost_at: float | None = None
        self._used = self._refused = ""
        self._brief = 0
        self._presence_heard: Callable[[Presence], None] | None = None
        self._tallies_heard: dict[str, Callable[[Tally], None]] = {}
        self._welcomed_at = 0.0

    async def pushes(self) -> AsyncGenerator[Push, None]:
        """Every push, in order, each once, across reconnects. Must run for commands to find a socket.

        Raises Lost or Refused when connecting again would not help.
        """
        try:
            while socket := await self._open():
                async with socket, contextlib.aclosing(self._pushes_of(socket)) as pushes:
                    async for push in pushes:
                        yield push
                self._connected.clear()
                await self._part(socket)
        finally:
            self._over = True
            # Whoever waits for a socket shall learn that none will come.
            self._connected.set()

    async def command(self, op: str, data: Mapping[str, Any] | None = None) -> Any:
        """The answer's result. `data` needs a key if the command changes anything. Raises Refused, or Lost."""
        for attempt in range(ATTEMPTS):
            await self._connected.wait()
            if self._over or self._socket is None:
                raise Lost(1000, "hung up")
            self.repeats += attempt > 0
            try:
                return await self._socket.command(op, data)
            except (Lost, TimeoutError):
                await pause(attempt)
            except Refused as refused:
                if not (refused.body["temporary"] and is_worth_waiting(refused.retry_after)):
                    raise
                await pause(attempt, refused.retry_after)
        raise Lost(1006, "no answer")

    async def follow_presence(self, heard: Callable[[Presence], None]) -> None:
        """Let the app know which friends are online, now and after each new connection; pushes tell of changes."""
        self._presence_heard = heard
        heard(await self.watch_presence())

    async def follow_tally(self, proposal: str, heard: Callable[[Tally], None]) -> None:
        """Let the app know how a vote stands, now and after each new connection; pushes tell how it goes on."""
        self._tallies_heard[proposal] = heard
        heard(await self.watch_tally(proposal))

    async def leave_tally(self, proposal: str) -> None:
        del self._tallies_heard[proposal]
        await self.unwatch_tally(proposal)

    async def drop(self) -> None:
        """Lose the connection, as in a tunnel. It is opened again."""
        if self._socket:
            await self._socket.close()

    async def hang_up(self) -> None:
        self._over = True
        self._connected.set()
        if self._socket:
            await self._socket.close()

    async def _pushes_of(self, socket: Socket) -> AsyncGenerator[Push, None]:
        """Until the socket is lost. The position moves on when the next push is asked for: then one was processed."""
        welcome = socket.welcome
        if not welcome.recovered and self._fetch:
            await self._fetch(welcome)
        self.position = position = Position(socket.position.seq, socket.position.campaign_seq, welcome.epoch)
        tasks = [asyncio.create_task(self._keep_signed_in(socket)), asyncio.create_task(self._ask_again(socket))]
        try:
            with contextlib.suppress(Lost):
                while not self._over:
                    push = await socket.next(within_s=None)
                    if _is_old(push, position):
                        self.doubles += 1
                        continue
                    yield push
                    position.seq = push.seq or position.seq
                    position.campaign_seq = push.campaign_seq or position.campaign_seq
        finally:
            for task in tasks:
                task.cancel()

    async def _part(self, socket: Socket) -> None:
        """What the close says about connecting again."""
        if self._over:
            return
        lost = socket.lost or Lost(1006, "")
        if lost.code in FINAL:
            raise lost
        self.reconnects += 1
        if lost.code == SIGNED_OUT:
            self._refused = self._used
        if lost.code in ACCIDENTS:
            self._lost_at = monotonic()
        is_brief = monotonic() - self._welcomed_at < SETTLED_S
        self._brief = self._brief + 1 if is_brief else 0
        if self._brief > 1 or lost.code == RESTARTING:
            await pause(self._brief)

    async def _open(self) -> Socket | None:
        """A socket, however long it takes; None once this line is hung up."""
        for attempt in itertools.count():
            if self._over:
                return None
            try:
                self._used = await self._token(self._refused)
                return self._welcome(
                    await Socket.open(self._base_url, self._used, self._campaign, resume=self.position)
                )
            except Refused as refused:
                if not await self._may_try_again(refused, attempt):
                    raise
            except (OSError, Lost, TimeoutError, InvalidHandshake, httpx.TransportError) as error:
                if isinstance(error, Lost) and error.code in FINAL:
                    raise
                await pause(attempt)
        raise AssertionError("counting has no end")

    def _welcome(self, socket: Socket) -> Socket:
        self.gaps += self.position is not None and not socket.welcome.recovered
        self._socket, self._refused, self._welcomed_at = socket, "", monotonic()
        if self._lost_at is not None:
            self.outages.append(Outage("socket", self._lost_at, monotonic()))
            self._lost_at = None
        self._connected.set()
        return socket

    async def _may_try_again(self, refused: Refused, attempt: int) -> bool:
        """After a pause, or at once with a new token if it was the token: that is tried once."""
        if refused.code in TOKEN_REFUSED and self._used not in ("", self._refused) and not self._refused:
            self._refused = self._used
            return True
        is_temporary = refused.body.get("temporary") or refused.status in (429, 503)
        if is_temporary and is_worth_waiting(refused.retry_after):
            await pause(attempt, refused.retry_after)
            return True
        return False

    async def _ask_again(self, socket: Socket) -> None:
        """What was being watched was asked over a socket that is gone."""
        with contextlib.suppress(Refused, Lost, TimeoutError):
            if self._presence_heard is not None:
                self._presence_heard(await socket.watch_presence())
            for proposal, heard in list(self._tallies_heard.items()):
                heard(await socket.watch_tally(proposal))

    async def _keep_signed_in(self, socket: Socket) -> None:
        """Give the open socket a new token before the one that it came with expires, by the server's clock."""
        welcome, began = socket.welcome, monotonic()
        lives_s = _seconds_between(welcome.server_time, welcome.expires_at)
        while True:
            await asyncio.sleep(max(lives_s - (monotonic() - began) - MARGIN_S, 1.0))
            # If it doesn't come off it's tried again in a second; the server closes the socket if it never does.
            with contextlib.suppress(Refused, TimeoutError, OSError, httpx.TransportError):
                token = await self._token()
                if token != self._used:
                    try:
                        renewed = await socket.renew(token)
                    except Lost:
                        return
                    self._used = token
                    lives_s = _seconds_between(welcome.server_time, renewed.expires_at)


def _is_old(push: Push, position: Position) -> bool:
    if push.seq is not None:
        return push.seq <= position.seq
    return push.campaign_seq is not None and push.campaign_seq <= position.campaign_seq


def _seconds_between(one: str, other: str) -> float:
    return (datetime.fromisoformat(other) - datetime.fromisoformat(one)).total_seconds()
