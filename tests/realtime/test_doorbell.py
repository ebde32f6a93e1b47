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
from pathlib import Path

import pytest
from pytest_django import Settings

from config import doorbell
from config.client.sockets import Socket
from config.local import processes, valkey
from fortunes import threads
from tests.realtime import servers
from tests.realtime.conftest import NEVER
from tests.realtime.people import Person
from tests.realtime.servers import Server

pytestmark = pytest.mark.committed


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


async def test_without_redis_sockets_open_and_events_come_by_polls(bob: Person, tmp_path: Path) -> None:
    nowhere = f"redis://127.0.0.1:{processes.free_port()}/0"
    with servers.running(tmp_path / "web.log", REDIS_URL=nowhere) as server:
        async with await bob.connect(server) as socket:
            for _ in range(3):
                last = socket.position.seq
                await threads.run(bob.told, 1)
                assert (await socket.next()).seq == last + 1
        assert "Redis is out of reach" in server.log.read_text()


async def test_when_redis_hangs_events_come_by_polls_until_it_is_back(
    alice: Person, bob: Person, own_redis: OwnRedis, tmp_path: Path
) -> None:
    """Neither server polls while Redis is well, so what arrives then was rung for."""
    given = {"REDIS_URL": own_redis.url, "SOCKET_POLL_S": NEVER}
    with (
        servers.running(tmp_path / "one.log", **given) as one,
        servers.running(tmp_path / "other.log", **given) as other,
    ):
        async with await bob.connect(other) as socket:
            await asyncio.sleep(1)
            await gift_arrives(alice, bob, one, socket)

            own_redis.hang()
            await gift_arrives(alice, bob, one, socket)
            await logged(other, "Redis is out of reach")
            # Others can still come in, and the REST side doesn't wait for a doorbell either.
            async with await alice.connect(other) as late:
                await gift_arrives(alice, bob, one, socket)
                assert (await late.next()).event == "gift.sent"

            own_redis.go_on()
            await logged(other, "Redis is heard again")
            for _ in range(3):
                await gift_arrives(alice, bob, one, socket)


async def test_a_server_ends_while_redis_hangs(bob: Person, own_redis: OwnRedis, tmp_path: Path) -> None:
    with servers.running(tmp_path / "web.log", REDIS_URL=own_redis.url) as web:
        socket = await bob.connect(web)
        await threads.run(bob.told, 1)
        own_redis.hang()
        await asyncio.sleep(3)
        web.terminate()
        assert (await socket.wait_lost()).code == 1012
        web.process.wait(30)


async def test_when_redis_is_killed_and_comes_back_empty(
    alice: Person, bob: Person, own_redis: OwnRedis, tmp_path: Path
) -> None:
    with servers.running(tmp_path / "web.log", REDIS_URL=own_redis.url, SOCKET_POLL_S=NEVER) as web:
        async with await bob.connect(web) as socket:
            await asyncio.sleep(1)
            await gift_arrives(alice, bob, web, socket)
            own_redis.kill()
            await gift_arrives(alice, bob, web, socket)
            own_redis.start()
            await logged(web, "Redis is heard again")
            for _ in range(3):
                await gift_arrives(alice, bob, web, socket)


async def gift_arrives(giver: Person, receiver: Person, server: Server, socket: Socket) -> None:
    await giver.post_gift(receiver, server=server)
    assert (await socket.next()).event == "gift.received"


async def logged(server: Server, words: str) -> None:
    async with asyncio.timeout(30):
        while words not in server.log.read_text():
            await asyncio.sleep(0.1)


def test_a_ring_neither_fails_nor_piles_up(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"
    monkeypatch.setattr(doorbell, "_ringer", doorbell.Ringer())
    for number in range(20_000):
        doorbell.ring(players={number: 1, 7: number}, campaigns={1: number})
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
        # By its ring: this server doesn't poll while Redis is well.
        assert (await socket.next()).event == "friendship.asked"
        assert await process.wait() == 0
