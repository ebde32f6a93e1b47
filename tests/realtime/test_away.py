"""Who has a socket anywhere isn't told by the host app: presence as a worker asks for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import redis
from pytest_django import Settings

from config import whereabouts
from fortunes import presence, threads
from tests.realtime.people import Person
from tests.realtime.servers import Server

pytestmark = pytest.mark.committed

PATIENCE_S = 90


@pytest.fixture(autouse=True)
def _not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whereabouts, "FRESH_S", 0.0)


async def until_online(person: Person, *, online: bool) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            seen = await threads.run(presence.ask, [person.row.pk, -1])
            if seen.known and seen.online == (frozenset([person.row.pk]) if online else frozenset()):
                return
            await asyncio.sleep(0.1)


async def test_a_worker_knows_who_has_a_socket(alice: Person, a: Server, b: Server) -> None:
    await until_online(alice, online=False)
    for server in (a, b):
        async with await alice.connect(server):
            await until_online(alice, online=True)
        await until_online(alice, online=False)


def test_without_redis_nobody_is_known_to_be_online(settings: Settings, tmp_path: Path) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    whereabouts._redis.cache_clear()
    try:
        assert presence.ask([1]) == presence.Seen(False, frozenset())
    finally:
        whereabouts._redis.cache_clear()


def test_what_was_read_is_good_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(whereabouts, "FRESH_S", 60.0)
    monkeypatch.setattr(whereabouts, "_read", (float("-inf"), None))
    monkeypatch.setattr(whereabouts.beats, "everybody", lambda client: asked.append(client) or frozenset([7]))
    assert [presence.ask([7, 8]).online, presence.ask([8]).online] == [{7}, frozenset()]
    assert len(asked) == 1
    assert isinstance(asked[0], redis.Redis)
