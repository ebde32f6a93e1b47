"""The pushes of one socket: what its two feeds have beyond the last number sent, in order, each once."""

from __future__ import annotations

import asyncio
import logging

from config import presence, problems, watch
from config.sockets import frames
from config.sockets.frames import Close
from config.sockets.outbox import Outbox

log = logging.getLogger("fortunes.socket")

PAUSE_S = 1.0
# The events that tell of friends made and lost.
FRIENDSHIPS = "friendship."


class Follower:
    """Reads from the database only, so it doesn't matter how often it's woken, by whom, or with which old number."""

    def __init__(self, outbox: Outbox, *, player_id: int, campaign_id: int) -> None:
        self._outbox = outbox
        self._player_id = player_id
        self._campaign_id = campaign_id
        self._sent: dict[str, int] = {}
        self._known = {"player": 0, "campaign": 0}
        # By what they are about: the share, or a friend.
        self._ephemeral: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self, *, seq: int, campaign_seq: int) -> None:
        """Go on after these numbers."""
        self._sent = {"player": seq, "campaign": campaign_seq}
        self._go()

    def wake(self, kind: str, seq: int) -> None:
        """The feed, 'player' or 'campaign', is at this number."""
        self._known[kind] = max(self._known[kind], seq)
        self._go()

    def tell(self, frame: str, about: str) -> None:
        """Send this once there is nothing missing; of several that wait about the same only the newest is worth it."""
        self._ephemeral[about] = frame
        self._go()

    def stop(self) -> None:
        if self._task:
            self._task.cancel()

    def _go(self) -> None:
        """One task at a time: it ends in the same step in which it finds nothing more, so no wake is lost."""
        if self._has_more() and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._follow())

    def _has_more(self) -> bool:
        """Nothing before `start`: the answer to `connect` comes first."""
        return bool(self._sent) and not self._outbox.closing and (self._is_behind() or bool(self._ephemeral))

    def _is_behind(self) -> bool:
        return any(sent < self._known[kind] for kind, sent in self._sent.items())

    async def _follow(self) -> None:
        while self._has_more():
            if not self._is_behind():
                await self._outbox.say(self._ephemeral.pop(next(iter(self._ephemeral))))
                continue
            try:
                await self._catch_up("player" if self._sent["player"] < self._known["player"] else "campaign")
            except Exception as error:  # an unexpected one must end the socket, and not leave it deaf
                if problems.as_refusal(error) is None:
                    log.exception("a socket can't follow its feed")
                    self._outbox.close(Close.BROKEN, "internal-error")
                await asyncio.sleep(PAUSE_S)

    async def _catch_up(self, kind: str) -> None:
        rows = await (self._events() if kind == "player" else self._broadcasts())
        for seq, frame in rows:
            if seq != self._sent[kind] + 1:
                break
            await self._outbox.say(frame)
            self._sent[kind] = seq
        else:
            if rows:
                return
        # Retention has overtaken a client that is far behind; it will be told to fetch its snapshot.
        self._outbox.close(Close.TRY_AGAIN, "feed-gap")

    async def _events(self) -> list[tuple[int, str]]:
        told = await watch.here().events_after((self._player_id, self._sent["player"]))
        if any(event.event.startswith(FRIENDSHIPS) for event in told):
            presence.here().friends_changed(self._player_id)
        return [(event.seq, frames.push(event)) for event in told]

    async def _broadcasts(self) -> list[tuple[int, str]]:
        return await watch.here().broadcasts_after(
            self._campaign_id, self._sent["campaign"], until=self._known["campaign"]
        )
