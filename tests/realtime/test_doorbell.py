"""The doorbell is a convenience: without Redis sockets open, and what happens arrives, some seconds later."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django import Settings

from config import doorbell
from config.demo.sockets import Socket
from config.local import processes, valkey
from fortunes import threads
from tests.realtime import servers
from tests.realtime.people import Person
from tests.realtime.servers import Server

pytestmark = pytest.mark.committed

# A poll every second, and the time that it takes to notice that nothing is heard.
NOTICED_S = 6.0


class OwnRedis:
    """A Valkey that may be hurt."""

    def __init__(self, server: valkey.Valkey) -> None:
        self.url = server.url
        self._program = server.program()
        self._process: subprocess.Popen[bytes]

    def start(self) -> None:
        self._process = subprocess.Popen(self._program.argv, cwd=self._program.cwd)

    def hang(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    server = valkey.prepare(tmp_path / "valkey", secrets.token_hex(8))
    own = OwnRedis(server)
    own.start()
    while not server.is_ready():
        time.sleep(0.02)
    yield own
    own.go_on()
    own.kill()


async def delay_of_next(socket: Socket, person: Person) -> float:
    """Seconds from an event's commit until it comes out of the socket, the very next one."""
    last = socket.position.seq
    await threads.run(person.told, 1)
    began = time.monotonic()
    assert (await socket.next()).seq == last + 1
    return time.monotonic() - began


async def test_without_redis_sockets_open_and_events_come_by_polls(bob: Person, tmp_path: Path) -> None:
    nowhere = f"redis://127.0.0.1:{processes.free_port()}/0"
    with servers.running(tmp_path / "web.log", REDIS_URL=nowhere) as server:
        began = time.monotonic()
        async with await bob.connect(server) as socket:
            assert time.monotonic() - began < 3
            delays = [await delay_of_next(socket, bob) for _ in range(3)]
        assert max(delays) < 3
        assert "Redis is out of reach" in server.log.read_text()


async def test_when_redis_hangs_events_come_by_polls_until_it_is_back(
    alice: Person, bob: Person, own_redis: OwnRedis, tmp_path: Path
) -> None:
    with (
        servers.running(tmp_path / "one.log", REDIS_URL=own_redis.url) as one,
        servers.running(tmp_path / "other.log", REDIS_URL=own_redis.url) as other,
    ):
        async with await bob.connect(other) as socket:
            await asyncio.sleep(1)
            assert await gift_delay(alice, bob, one, socket) < 1

            own_redis.hang()
            assert await gift_delay(alice, bob, one, socket) < NOTICED_S
            assert await gift_delay(alice, bob, one, socket) < 3
            # Others can still come in, and the REST side doesn't wait for a doorbell either.
            async with await alice.connect(other) as late:
                assert await gift_delay(alice, bob, one, socket) < 3
                assert (await late.next(within_s=3)).event == "gift.sent"

            own_redis.go_on()
            await asyncio.sleep(5)
            assert max([await gift_delay(alice, bob, one, socket) for _ in range(3)]) < 0.8


async def test_a_server_ends_while_redis_hangs(bob: Person, own_redis: OwnRedis, tmp_path: Path) -> None:
    with servers.running(tmp_path / "web.log", REDIS_URL=own_redis.url) as web:
        socket = await bob.connect(web)
        await threads.run(bob.told, 1)
        own_redis.hang()
        await asyncio.sleep(3)
        web.terminate()
        assert (await socket.wait_lost()).code == 1012
        web.process.wait(8)


async def test_when_redis_is_killed_and_comes_back_empty(
    alice: Person, bob: Person, own_redis: OwnRedis, tmp_path: Path
) -> None:
    with servers.running(tmp_path / "web.log", REDIS_URL=own_redis.url) as web:
        async with await bob.connect(web) as socket:
            await asyncio.sleep(1)
            assert await gift_delay(alice, bob, web, socket) < 1
            own_redis.kill()
            assert await gift_delay(alice, bob, web, socket) < NOTICED_S
            own_redis.start()
            await asyncio.sleep(6)
            assert max([await gift_delay(alice, bob, web, socket) for _ in range(3)]) < 0.8


async def gift_delay(giver: Person, receiver: Person, server: Server, socket: Socket) -> float:
    """Seconds from the REST answer until the receiver's socket has it."""
    began = time.monotonic()
    await giver.post_gift(receiver, server=server)
    assert time.monotonic() - began < 2
    assert (await socket.next()).event == "gift.received"
    return time.monotonic() - began


def test_a_ring_neither_fails_nor_waits(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    nowhere = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": ["redis://127.0.0.1:1"]}}
    settings.CHANNEL_LAYERS = {"default": nowhere}
    monkeypatch.setattr(doorbell, "_ringer", doorbell.Ringer())
    began = time.monotonic()
    for number in range(20_000):
        doorbell.ring(players={number: 1, 7: number}, campaigns={1: number})
    assert time.monotonic() - began < 5
    assert len(doorbell._ringer._waiting) <= doorbell.MOST_WAITING
    # Whatever thread or loop it's called in.
    asyncio.run(_ring_in_a_loop())


async def _ring_in_a_loop() -> None:
    doorbell.ring(players={1: 1}, campaigns={})


def test_only_the_newest_number_of_a_feed_waits() -> None:
    ringer = doorbell.Ringer()
    ringer._thread = ringer  # type: ignore[assignment]
    for seq in (3, 5, 4):
        ringer.add({("player", 7): seq})
    assert ringer._take() == {("player", 7): 5}


# The parent rings first: its thread, locks and connections are there to be inherited, as in Celery's pool.
FORKED = """
import os, sys, time, uuid
import django
django.setup()
from accounts.events import FriendshipAsked
from config import doorbell
from django.db import connection, transaction
from fortunes import events
player = int(sys.argv[1])
doorbell.ring(players={player: 0}, campaigns={})
time.sleep(0.5)
pid = os.fork()
if pid == 0:
    connection.connect()
    with transaction.atomic():
        payload = FriendshipAsked(by=uuid.uuid4(), to=uuid.uuid4())
        events.append(campaign_id=None, entries=[(player, payload)])
    time.sleep(1)
    os._exit(0)
os.waitpid(pid, 0)
"""

# It commits and is gone.
HASTY = FORKED.replace("os.fork()", "0").replace("time.sleep(1)", "sys.exit()")


@pytest.mark.parametrize("script", [FORKED, HASTY], ids=["forked", "hasty"])
async def test_other_processes_ring_too(bob: Person, b: Server, script: str) -> None:
    async with await bob.connect(b) as socket:
        await asyncio.sleep(1)
        command = [sys.executable, "-c", script, str(bob.row.pk)]
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
        process = await asyncio.create_subprocess_exec(*command, env=environment)
        push = await socket.next()
        late_s = (datetime.now(UTC) - datetime.fromisoformat(push.at)).total_seconds()
        assert await process.wait() == 0
    assert late_s < 0.8
