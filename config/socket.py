"""The one WebSocket endpoint, `/ws/v1/`: docs/realtime.md describes what is spoken here.

A socket that has nothing to do is one task: the consumer's own reads frames and never waits for the database. Three
others come and go: one runs the commands in their order, on the threads of `fortunes.threads`; one writes (outbox.py);
one reads from the database what the feeds have beyond the last number sent (follower.py), whenever somebody says that
they moved on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer

import cards.commands
import fortunes.commands
from config import metrics, presence, watch
from config.sockets import entrance, frames, handshake, tallies
from config.sockets.follower import Follower
from config.sockets.frames import Close, Refused
from config.sockets.outbox import Outbox
from fortunes import threads
from fortunes.actions import feeds
from fortunes.answers import instant
from fortunes.commands import Caller, Command

COMMANDS: Mapping[str, Command] = {**fortunes.commands.COMMANDS, **cards.commands.COMMANDS}
KNOWN = frozenset({"connect", "ping", "presence.watch", "tally.watch", "tally.unwatch", "token.refresh", *COMMANDS})

CONNECT_TIMEOUT_S = 5.0
MOST_WAITING = 32
FRAMES_PER_S = 20.0
FRAMES_AT_ONCE = 60.0
MOST_MALFORMED = 5


class FortunesConsumer(AsyncConsumer):
    """One socket. Before its `connect` was answered there is no caller, and nothing but `connect` is understood."""

    player_id: int
    campaign_id: int
    session: UUID | None = None
    expires_at = datetime.max.replace(tzinfo=UTC)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """In place of the stock one, which subscribes every socket to Redis by itself and fails where Redis does."""
        self.scope = scope
        self.base_send = send
        self.heard_at = asyncio.get_running_loop().time()
        self._language = handshake.language_of(scope)
        self._reading = asyncio.current_task()
        self._is_abandoned = False
        self._outbox = Outbox(self.send, self._abandon)
        self._commands: deque[frames.Command] = deque()
        self._working: asyncio.Task[None] | None = None
        self._caller: Caller | None = None
        self._follower: Follower | None = None
        self._allowance = FRAMES_AT_ONCE
        self._malformed = 0
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            pass
        except asyncio.CancelledError:
            if not self._is_abandoned:
                raise
        finally:
            self._reading = None
            await self._leave()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """In place of the stock one, which hops to a thread with every message to tend database connections."""
        await getattr(self, get_handler_name(message))(message)

    async def websocket_connect(self, message: dict[str, Any]) -> None:
        if not handshake.origin_allowed(self.scope):
            # Before it was accepted, so the browser's page sees HTTP 403.
            await self.send({"type": "websocket.close"})
            return
        understood = frames.SUBPROTOCOL in self.scope["subprotocols"]
        await self.send({"type": "websocket.accept", "subprotocol": frames.SUBPROTOCOL if understood else None})
        if understood:
            asyncio.get_running_loop().call_later(CONNECT_TIMEOUT_S, self._expect_connected)
        else:
            self._outbox.close(Close.SUBPROTOCOL, "subprotocol")

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        metrics.frame("in")
        text = message.get("text")
        if self._outbox.closing:
            return
        if not self._within_allowance():
            self._outbox.close(Close.TOO_FAST, "too-many-frames")
        elif text is None:
            self._outbox.close(Close.BAD_FRAME, "binary-frame")
        elif len(text.encode()) > frames.MAX_BYTES:
            self._outbox.close(Close.TOO_BIG, "frame-too-large")
        else:
            await self._take(text)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        raise StopConsumer

    def wake(self, kind: str, seq: int) -> None:
        if self._follower:
            self._follower.wake(kind, seq)

    def tell(self, frame: str, about: str) -> None:
        if self._follower:
            self._follower.tell(frame, about)

    def shut(self, code: Close, reason: str) -> None:
        self._outbox.close(code, reason)

    async def _take(self, text: str) -> None:
        """Queue a command; the answer comes from `_work`."""
        try:
            command = frames.read(text)
            self._malformed = 0
            if len(self._commands) >= MOST_WAITING:
                raise Refused("too-many-requests", command_id=command.id, temporary=True)
            self._commands.append(command)
            if self._working is None:
                self._working = asyncio.create_task(self._work())
        except Refused as refused:
            await self._refuse(refused.command_id, refused)
            self._malformed += refused.code == "malformed-frame"
            if self._malformed >= MOST_MALFORMED:
                self._outbox.close(Close.BAD_FRAME, "malformed-frames")

    async def _work(self) -> None:
        """Commands one after the other. Whatever goes wrong with one is its answer and nothing else's."""
        while self._commands and not self._outbox.closing:
            command = self._commands.popleft()
            outcome = "ok"
            try:
                await self._perform(command)
            except Exception as error:
                outcome = "refused"
                await self._refuse(command.id, error)
            metrics.command(command.op if command.op in KNOWN else "unknown", outcome)
        # In the same step in which nothing more was found, so that no command is left lying.
        self._working = None

    async def _perform(self, command: frames.Command) -> None:
        if command.op == "connect":
            await self._connect(command)
        elif self._caller is None:
            raise Refused("not-signed-in", close=Close.NOT_SIGNED_IN)
        elif command.op == "ping":
            await self._ping(command)
        elif command.op == "token.refresh":
            await self._refresh(command)
        elif command.op == "presence.watch":
            await presence.here().watch(self, command.data, lambda seen: self._say(command, seen))
        elif command.op == "tally.watch":
            await tallies.here().watch(self, command.data, lambda tally: self._say(command, tally))
        elif command.op == "tally.unwatch":
            await self._say(command, await tallies.here().unwatch(self, command.data))
        elif command.op in COMMANDS:
            result = await threads.run(COMMANDS[command.op].run, self._caller, command.data)
            await self._outbox.say(frames.answer(command.id, result))
        else:
            raise Refused("unknown-op")

    async def _connect(self, command: frames.Command) -> None:
        if self._caller is not None:
            raise Refused("malformed-frame", "This socket is connected already.")
        ticket = await watch.here().admit(command.data)
        if isinstance(ticket, Exception):
            raise ticket
        self.player_id, self.campaign_id = ticket.player.pk, ticket.campaign.pk
        self.session, self.expires_at = ticket.player.session, ticket.player.expires_at
        self._follower = Follower(self._outbox, player_id=self.player_id, campaign_id=self.campaign_id)
        # Woken from here on, and only then is the place read, so nothing falls in between.
        await watch.here().add(self)
        try:
            place = await watch.here().place(ticket)
        except Exception:
            await watch.here().discard(self)
            raise
        self._caller = Caller(ticket.player, ticket.campaign)
        welcome = entrance.welcome(ticket, place, ping_s=watch.PING_S)
        await self._outbox.say(frames.answer(command.id, welcome))
        self._follower.start(seq=place.from_seq, campaign_seq=place.from_campaign_seq)
        self._know(place)

    async def _ping(self, command: frames.Command) -> None:
        pong = await watch.here().pong(feeds.Seen(self.player_id, self.campaign_id))
        await self._outbox.say(frames.answer(command.id, pong))
        self._know(pong)

    async def _refresh(self, command: frames.Command) -> None:
        newer = await threads.run(entrance.renew, self.player_id, command.data)
        self.session, self.expires_at = newer.session, newer.expires_at
        await self._outbox.say(frames.answer(command.id, entrance.Renewed(expires_at=instant(self.expires_at))))

    async def _say(self, command: frames.Command, result: Any) -> None:
        await self._outbox.say(frames.answer(command.id, result))

    def _know(self, newest: entrance.Place | entrance.Pong) -> None:
        self.wake("player", newest.seq)
        self.wake("campaign", newest.campaign_seq)

    async def _refuse(self, command_id: int | None, error: Exception) -> None:
        await self._outbox.say(frames.refusal(command_id, error, language=self._language))
        if (code := frames.closes(error)) is not None:
            self._outbox.close(code, frames.code_of(error))

    def _within_allowance(self) -> bool:
        """A bucket of frames that fills up again with time."""
        now = asyncio.get_running_loop().time()
        self._allowance = min(FRAMES_AT_ONCE, self._allowance + (now - self.heard_at) * FRAMES_PER_S) - 1
        self.heard_at = now
        return self._allowance >= 0

    def _expect_connected(self) -> None:
        if self._caller is None:
            self._outbox.close(Close.TIMEOUT, "connect-timeout")

    def _abandon(self) -> None:
        """End the socket as if its client had gone, which makes the server cut the connection."""
        if self._reading is not None:
            self._is_abandoned = True
            self._reading.cancel()

    async def _leave(self) -> None:
        self._outbox.stop()
        if self._working:
            self._working.cancel()
        if self._follower:
            self._follower.stop()
            await watch.here().discard(self)
