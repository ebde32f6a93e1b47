"""The ringing side of the doorbell: `settings.DOORBELL`, called after commits in web threads, workers and commands.

It never waits and never fails: a thread of its own passes the newest numbers on to the channel layer. What is lost on
the way (Redis is down, the process dies) costs listeners nothing but seconds, since they poll (config/watch.py).
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
from collections.abc import Mapping

from channels.layers import get_channel_layer

log = logging.getLogger("fortunes.doorbell")

SEND_TIMEOUT_S = 1.0
MOST_WAITING = 10_000
BATCH = 100
LAST_CALL_S = 0.5

Bell = tuple[str, int]


def ring(*, players: Mapping[int, int], campaigns: Mapping[int, int], shares: Mapping[int, int] = {}) -> None:
    """Tell whoever listens that these feeds are now at these numbers, and of which campaigns the share has changed."""
    _ringer.add({("player", player): seq for player, seq in players.items()})
    _ringer.add({("campaign", campaign): seq for campaign, seq in campaigns.items()})
    _ringer.add({("share", campaign): number for campaign, number in shares.items()})


def group(kind: str, feed_id: int) -> str:
    """The channel layer's group for a feed; `kind` is 'player' or 'campaign', whose group hears of its 'share' too."""
    return f"{'campaign' if kind == 'share' else kind}.{feed_id}"


class Ringer:
    """What waits to be rung, at most one number a feed, and the thread that rings it, started by the first."""

    def __init__(self) -> None:
        self._waiting: dict[Bell, int] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._busy = False

    def add(self, bells: Mapping[Bell, int]) -> None:
        """Never blocks: the lock is held for dictionary work only. When too much waits, the oldest are dropped."""
        with self._changed:
            for bell, seq in bells.items():
                self._waiting[bell] = max(seq, self._waiting.get(bell, 0))
            while len(self._waiting) > MOST_WAITING:
                del self._waiting[next(iter(self._waiting))]
            if bells and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def finish(self) -> None:
        """Give what waits a last moment: a management command often commits and ends."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting and not self._busy, LAST_CALL_S)

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            reachable = True
            while True:
                bells = self._take()
                try:
                    runner.run(_send(bells))
                    reachable = True
                except Exception as error:  # whatever Redis and its client throw: a lost ring is made up by polls
                    if reachable:
                        log.warning("the doorbell is out of order, sockets poll: %r", error)
                    reachable = False

    def _take(self) -> dict[Bell, int]:
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting)
            self._busy = True
            chosen = list(self._waiting)[:BATCH]
            return {bell: self._waiting.pop(bell) for bell in chosen}


async def _send(bells: Mapping[Bell, int]) -> None:
    layer = get_channel_layer()
    async with asyncio.timeout(SEND_TIMEOUT_S):
        for (kind, feed_id), seq in bells.items():
            await layer.group_send(group(kind, feed_id), {"type": "bell", "kind": kind, "id": feed_id, "seq": seq})


_ringer = Ringer()


def _after_fork() -> None:
    """A forked child, one of Celery's pool, has neither the thread nor a lock that it can trust."""
    global _ringer
    _ringer = Ringer()


def _at_exit() -> None:
    _ringer.finish()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
