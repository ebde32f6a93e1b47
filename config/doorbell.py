"""The ringing side of the doorbell: `settings.DOORBELL`, called after commits in web threads, workers and commands.

It never waits and never fails: a thread of its own publishes the newest numbers. What is lost on the way (Redis is
down, the process dies) costs listeners nothing but seconds, since they poll (config/watch.py).
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Mapping

import msgspec
from django.conf import settings
from redis import ConnectionPool, exceptions
from redis.backoff import NoBackoff
from redis.connection import ConnectionInterface
from redis.retry import Retry

log = logging.getLogger("fortunes.doorbell")

SEND_TIMEOUT_S = 1.0
MOST_WAITING = 10_000
BATCH = 100
LAST_CALL_S = 0.5

# A feed: its kind, 'player' or 'campaign', or 'share' for a campaign's live share; and its id.
Feed = tuple[str, int]


class Bell(msgspec.Struct, frozen=True, array_like=True):
    """This feed is at this number."""

    kind: str
    id: int
    seq: int


_bell = msgspec.msgpack.Decoder(Bell)


def ring(*, players: Mapping[int, int], campaigns: Mapping[int, int], shares: Mapping[int, int] = {}) -> None:
    """Tell whoever listens that these feeds are now at these numbers, and of which campaigns the share has changed."""
    _ringer.add({("player", player): seq for player, seq in players.items()})
    _ringer.add({("campaign", campaign): seq for campaign, seq in campaigns.items()})
    _ringer.add({("share", campaign): number for campaign, number in shares.items()})


def group(kind: str, feed_id: int) -> str:
    """Where a feed's bell hangs; that of a campaign's share hangs with the campaign's own."""
    return f"{'campaign' if kind == 'share' else kind}.{feed_id}"


def channel(group: str) -> str:
    """The group's channel in Redis."""
    return f"{settings.REDIS_PREFIX}:bell:{group}"


def group_of(channel: bytes) -> str:
    """The group of a channel."""
    return channel.decode().rpartition(":")[2]


def heard(payload: bytes) -> Bell:
    """The bell that was rung. Raises msgspec's DecodeError."""
    return _bell.decode(payload)


class Ringer:
    """What waits to be rung, at most one number a feed, and the thread that rings it, started by the first."""

    def __init__(self) -> None:
        self._waiting: dict[Feed, int] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._busy = False

    def add(self, bells: Mapping[Feed, int]) -> None:
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
        connection, reachable = _connection(), True
        while True:
            bells = self._take()
            try:
                _ring(connection, bells)
                reachable = True
            except Exception as error:  # whatever Redis and its client throw: a lost ring is made up by polls
                connection.disconnect()
                if reachable:
                    log.warning("the doorbell is out of order, sockets poll: %r", error)
                reachable = False

    def _take(self) -> dict[Feed, int]:
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting)
            self._busy = True
            chosen = list(self._waiting)[:BATCH]
            return {bell: self._waiting.pop(bell) for bell in chosen}


def _connection() -> ConnectionInterface:
    """For this thread alone."""
    pool = ConnectionPool.from_url(
        settings.REDIS_URL,
        protocol=2,
        socket_timeout=SEND_TIMEOUT_S,
        socket_connect_timeout=SEND_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )
    return pool.make_connection()


def _ring(connection: ConnectionInterface, bells: Mapping[Feed, int]) -> None:
    """Once more where Redis has hung up since the last time: on somebody who was idle, or because it is a new one."""
    try:
        _send(connection, bells)
    except exceptions.ConnectionError:
        connection.disconnect()
        _send(connection, bells)


def _send(connection: ConnectionInterface, bells: Mapping[Feed, int]) -> None:
    """All in one write, and their answers in one read: how many listen is nothing to us, that Redis took them is."""
    rung = [("PUBLISH", channel(group(*feed)), msgspec.msgpack.encode(Bell(*feed, seq))) for feed, seq in bells.items()]
    connection.send_packed_command(connection.pack_commands(rung))
    for _ in rung:
        connection.read_response()


_ringer = Ringer()


def _after_fork() -> None:
    """A forked child, one of Celery's pool, has neither the thread nor a lock that it can trust."""
    global _ringer
    _ringer = Ringer()


def _at_exit() -> None:
    _ringer.finish()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
