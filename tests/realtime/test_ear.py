"""The listening side of the doorbell, against a real Redis."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable
from typing import Any

import pytest
import redis
from django.conf import settings

from config import doorbell
from config.doorbell import Bell
from config.sockets import ear
from config.sockets.ear import Ear

MANY = 2_500


@pytest.fixture(autouse=True)
def _a_slow_machine_is_not_an_ill_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ear, "PATIENCE_S", 20.0)


class Listener:
    """An ear, and what it heard."""

    def __init__(self) -> None:
        self.bells: list[Bell] = []
        self.ear = Ear(self.bells.append)
        self._listening = asyncio.create_task(self.ear.listen())

    async def healthy(self) -> None:
        await until(lambda: self.ear.healthy)

    async def end(self) -> None:
        self._listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listening


@contextlib.asynccontextmanager
async def listening() -> AsyncGenerator[Listener, None]:
    listener = Listener()
    try:
        await listener.healthy()
        yield listener
    finally:
        await listener.end()


async def until(done) -> None:
    async with asyncio.timeout(20):
        while not done():
            await asyncio.sleep(0.01)


def publish(group: str, *payloads: bytes) -> int:
    """How many heard the last one."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        return [int(client.publish(doorbell.channel(group), payload)) for payload in payloads][-1]


def ring(bells: Iterable[Bell]) -> None:
    connection = doorbell._connection()
    doorbell._ring(connection, feeds(bells))
    connection.disconnect()


def feeds(bells: Iterable[Bell]) -> dict[doorbell.Feed, int]:
    return {(bell.kind, bell.id): bell.seq for bell in bells}


async def test_who_has_joined_is_heard_from_then_on() -> None:
    """Nothing is waited for: when `join` is over, Redis knows. That a socket reads its place after it rests on this."""
    async with listening() as one:
        for number in range(20):
            await one.ear.join(f"player.{number}")
            assert publish(f"player.{number}", b"") == 1


async def test_a_second_one_waits_for_the_first_ones_joining() -> None:
    async with listening() as one:
        first = asyncio.create_task(one.ear.join("campaign.7"))
        await asyncio.sleep(0)
        await one.ear.join("campaign.7")
        assert publish("campaign.7", b"") == 1
        await first


async def test_bells_are_heard_by_those_who_joined_and_no_more_once_they_left() -> None:
    async with listening() as one, listening() as other:
        await one.ear.join("player.1")
        await other.ear.join("player.1")
        await other.ear.join("player.2")
        bells = [Bell("player", 1, 5), Bell("player", 2, 8)]
        await asyncio.to_thread(ring, bells)
        await until(lambda: len(one.bells) == 1 and len(other.bells) == 2)
        assert one.bells == bells[:1]
        assert sorted(other.bells, key=lambda bell: bell.id) == bells

        other.ear.leave("player.1")
        await until(lambda: publish("player.1", b"") == 1)


async def test_who_leaves_and_joins_in_one_step_is_heard() -> None:
    async with listening() as one:
        await one.ear.join("player.3")
        one.ear.leave("player.3")
        await one.ear.join("player.3")
        assert publish("player.3", b"") == 1


async def test_the_bell_of_a_share_hangs_with_its_campaign() -> None:
    async with listening() as one:
        await one.ear.join(doorbell.group("campaign", 9))
        await asyncio.to_thread(ring, [Bell("share", 9, 3)])
        await until(lambda: one.bells == [Bell("share", 9, 3)])


async def test_what_is_rung_after_redis_has_hung_up_is_heard() -> None:
    """Nobody else would notice: the ear is well again, and its process polls seldom."""
    async with listening() as one:
        await one.ear.join("player.5")
        connection: Any = doorbell._connection()
        try:
            for seq in (1, 2):
                await asyncio.to_thread(doorbell._ring, connection, feeds([Bell("player", 5, seq)]))
                await until(lambda seq=seq: one.bells[-1:] == [Bell("player", 5, seq)])
                with redis.Redis.from_url(settings.REDIS_URL) as client:
                    client.client_kill_filter(laddr=None, addr="{}:{}".format(*connection._sock.getsockname()))
        finally:
            connection.disconnect()


async def test_thousands_join_at_once_also_after_the_connection_was_lost() -> None:
    async with listening() as one:
        await asyncio.gather(*(one.ear.join(f"player.{number}") for number in range(MANY)))
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            assert publish(f"player.{MANY - 1}", b"") == 1
            client.client_kill_filter(_type="pubsub")
            await until(lambda: not one.ear.healthy)
            await one.healthy()
            # Healthy means that all groups are heard again.
            subscribed = client.pubsub_numsub(*(doorbell.channel(f"player.{number}") for number in range(MANY)))
        assert {count for _, count in subscribed} == {1}


async def test_what_cant_be_read_is_passed_over() -> None:
    async with listening() as one:
        await one.ear.join("player.4")
        publish("player.4", b"rubbish", b"\x93\xa6player\x04", b"")
        await asyncio.to_thread(ring, [Bell("player", 4, 1)])
        await until(lambda: one.bells == [Bell("player", 4, 1)])


@pytest.mark.parametrize("kind", ["tomorrow's", "player"])
def test_a_bell_of_a_later_version_is_read_as_far_as_it_is_known(kind: str) -> None:
    import msgspec

    assert doorbell.heard(msgspec.msgpack.encode([kind, 4, 5, "more"])) == Bell(kind, 4, 5)
