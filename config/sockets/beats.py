"""Presence in Redis: each process says once a second that it lives and who is there, and hears it from the others.

A process has a key with its players' ids, which expires without it, and its place in one hash of beats. Nothing here
depends on anybody's clock, and whatever Redis forgets is written again at the next beat.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from array import array
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from redis import Redis as SyncRedis
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from config.sockets.roll import SILENT_BEATS, Beat, Roll

BEAT_S = 1.0
# How long Redis may take for one beat.
PATIENCE_S = 1.0
# Without its process a roll is gone this soon, and the hash soon after the last process.
ROLL_S = int(SILENT_BEATS * BEAT_S)
HASH_S = 60


class Beats:
    """One a process. It fills the roll with what the others say."""

    def __init__(self, roll: Roll) -> None:
        self._roll = roll
        self._name = secrets.token_hex(8)
        self._number = 0
        self._written: int | None = None
        self._dead: list[str] = []
        self._redis: Redis | None = None

    async def beat(self) -> None:
        """Say and hear once. Raises what Redis and its client raise, or TimeoutError."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                heard = await self._exchange()
                self._dead = self._roll.heard(heard)
                await self._read(self._roll.to_read(turn=self._number))
        except BaseException:
            # Whether it was written isn't known, and the connection may hold half an answer.
            self._written = None
            await self._hang_up()
            raise

    async def _exchange(self) -> Mapping[str, Beat]:
        """Everybody else's beats, and ours among them from now on."""
        self._number += 1
        version, roll, hash_ = self._roll.version, _key(self._name), _key()
        # All or nothing: whoever sees this beat's version finds the players that belong to it, or newer ones.
        pipe = self._connected().pipeline(transaction=True)
        if self._written == version:
            pipe.expire(roll, ROLL_S)
        else:
            pipe.set(roll, array("q", self._roll.here).tobytes(), ex=ROLL_S)
        if self._dead:
            pipe.hdel(hash_, *self._dead)
        pipe.hset(hash_, self._name, f"{self._number} {version}")
        pipe.expire(hash_, HASH_S)
        pipe.hgetall(hash_)
        results = await pipe.execute()
        self._written = version if results[0] else None
        beats = {name.decode(): Beat(*map(int, said.split())) for name, said in results[-1].items()}
        return {name: beat for name, beat in beats.items() if name != self._name}

    async def _read(self, names: list[str]) -> None:
        if not names:
            return
        rolls: list[Any] = await self._connected().mget([_key(name) for name in names])
        for name, packed in zip(names, rolls, strict=True):
            if packed is None:
                self._roll.has_none(name)
            else:
                players = array("q")
                players.frombytes(packed)
                self._roll.learn(name, frozenset(players))
                # Thousands of players: others may go first.
                await asyncio.sleep(0)

    def _connected(self) -> Redis:
        if self._redis is None:
            self._redis = Redis.from_url(
                settings.REDIS_URL,
                socket_timeout=PATIENCE_S,
                socket_connect_timeout=PATIENCE_S,
                retry=Retry(NoBackoff(), 0),
            )
        return self._redis

    async def _hang_up(self) -> None:
        client, self._redis = self._redis, None
        if client is not None:
            with contextlib.suppress(Exception):
                await client.aclose()


def everybody(client: SyncRedis) -> frozenset[int] | None:
    """All who are online, as the processes have said, for one that keeps no roll; None if none has said anything."""
    names: list[Any] = client.hkeys(_key())
    if not names:
        return None
    rolls: list[Any] = client.mget([_key(name.decode()) for name in names])
    players = array("q", b"".join(roll or b"" for roll in rolls))
    return frozenset(players)


def _key(*name: str) -> str:
    return ":".join((settings.REDIS_PREFIX, "presence", *name))
