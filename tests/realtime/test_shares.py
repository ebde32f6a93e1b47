"""The live share over sockets: a new count reaches whoever is connected, as a frame without a number."""

from __future__ import annotations

import json
from typing import Any

import pytest

from config.client.sockets import Push, Socket, dial
from fortunes import threads
from fortunes.models import DatabaseNow
from redpackets.actions import shares
from redpackets.models import LiveShare
from tests.factories import cards as make
from tests.realtime import servers
from tests.realtime.people import Person
from tests.realtime.protocol import conforms, payload_of
from tests.realtime.servers import Server

pytestmark = pytest.mark.committed


def count_now() -> None:
    """What beat does, as if the last count were long ago."""
    LiveShare.objects.update(due_at=DatabaseNow())
    shares.count_due()


def scan(person: Person) -> None:
    make.redeem(person.season, person.row)


def figures(push: Push) -> tuple[Any, ...]:
    return push.event, push.seq, push.campaign_seq, push.data["complete"], push.data["each_fen"]


async def test_a_count_reaches_everybody(alice: Person, bob: Person, b: Server) -> None:
    async with await alice.connect() as here, await bob.connect(b) as there:
        await threads.run(count_now)
        for socket in (here, there):
            assert figures(await socket.next()) == ("share.changed", None, None, 1, 1_000_000)
        await threads.run(scan, bob)
        await threads.run(count_now)
        for socket in (here, there):
            assert figures(await socket.next()) == ("share.changed", None, None, 2, 500_000)
        # It moves no position, so a client resumes as if it had not been.
        assert (here.position.seq, here.position.campaign_seq) == (here.welcome.seq, here.welcome.campaign_seq)


async def test_the_same_figures_are_not_told_again(alice: Person) -> None:
    async with await alice.connect() as socket:
        await threads.run(count_now)
        assert (await socket.next()).event == "share.changed"
        await threads.run(count_now)
        await threads.run(alice.told, 1)
        assert (await socket.next()).event == "friendship.asked"


async def test_frames_conform_to_the_protocol(alice: Person) -> None:
    connection = await dial(alice.home.url)
    await connection.send(
        json.dumps({"id": 1, "op": "connect", "data": {"token": alice.token, "campaign": alice.season.slug}})
    )
    await connection.recv()
    await threads.run(count_now)
    frame = json.loads(await connection.recv())
    await connection.close()
    assert set(frame) == {"event", "at", "data"}
    assert conforms(frame, payload_of("share.changed"))
    assert not conforms({**frame, "data": {"complete": 1}}, payload_of("share.changed"))


async def test_without_redis_it_comes_by_polling(alice: Person, tmp_path: Any) -> None:
    with servers.running(tmp_path / "web.log", SOCKET_POLL_S="1", REDIS_PREFIX="hears-nothing-of-the-others") as deaf:
        async with await Socket.open(deaf.url, alice.token, alice.season.slug) as socket:
            await threads.run(count_now)
            assert figures(await socket.next()) == ("share.changed", None, None, 1, 1_000_000)
