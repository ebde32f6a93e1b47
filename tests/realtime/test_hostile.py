"""Clients that mean no good, one kind at a time: the documented end, the others served, and no memory that stays."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from config.client.rest import Client
from config.client.sockets import Lost, Refused, dial
from config.soak import memory
from config.soak.attacks import small_socket
from fortunes import threads
from tests.realtime import servers
from tests.realtime.people import CARD, Person, gift
from tests.realtime.servers import Server
from tests.realtime.test_closing import close_of, connect_frame
from tests.realtime.weather import relay

pytestmark = pytest.mark.committed

# What an interpreter may take for good in the course of a test; the attacks below are of several times as much.
MAY_GROW_MIB = 40.0
PATIENCE_S = 60.0


class Patient:
    """A web process whose memory is watched."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.before_mib = self._resident()

    def begin(self) -> None:
        self.before_mib = self._resident()

    def _resident(self) -> float:
        pid = self.server.process.pid
        return memory.resident(pid)[pid]

    async def assert_well(self, person: Person) -> None:
        """Others are served, and nothing was kept."""
        async with httpx.AsyncClient(base_url=self.server.url, trust_env=False, timeout=PATIENCE_S) as http:
            assert (await http.get("/livez")).status_code == 200
        async with await person.connect(self.server) as socket:
            assert await socket.command("ping")
        assert self._resident() - self.before_mib < MAY_GROW_MIB


@pytest.fixture(scope="module")
def exposed(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    with servers.running(tmp_path_factory.mktemp("web") / "web.log") as server:
        yield Patient(server)


@pytest.fixture
async def patient(exposed: Patient, alice: Person, bob: Person) -> AsyncIterator[Patient]:
    """Afterwards alice must be served as before, whatever bob has done."""
    for person in (alice, bob):
        person.home = exposed.server
    # What comes with the first socket and the first threads.
    for _ in range(20):
        async with await alice.connect() as socket:
            await socket.command("ping")
    exposed.begin()
    yield exposed
    await exposed.assert_well(alice)


async def dialled(person: Person) -> ClientConnection:
    """Connected, with nothing of a good client."""
    connection = await dial(person.home.url)
    await connection.send(connect_frame(person))
    assert "result" in json.loads(await connection.recv())
    return connection


async def together(count: int, attack: Any) -> list[Any]:
    return list(await asyncio.gather(*(attack(number) for number in range(count))))


async def test_ten_thousand_frames_a_second(patient: Patient, bob: Person) -> None:
    async def flood(_: int) -> int | None:
        connection = await dialled(bob)
        async with connection:
            with contextlib.suppress(ConnectionClosed):
                for number in range(10_000):
                    await connection.send(f'{{"id": {number + 2}, "op": "ping"}}')
            return (await close_of(connection))[0]

    assert set(await together(4, flood)) == {4429}


async def test_a_hundred_frames_of_a_megabyte(patient: Patient, bob: Person) -> None:
    async def heavy(_: int) -> int | None:
        async with await dial(bob.home.url) as connection:
            with contextlib.suppress(ConnectionClosed):
                await connection.send('{"id": 1, "op": "' + "x" * 2**20 + '"}')
            return (await close_of(connection))[0]

    assert set(await together(100, heavy)) == {1009}


async def test_frames_just_below_the_limit_that_nest_or_are_wide(patient: Patient, bob: Person) -> None:
    deep = "[" * 16_000
    wide = json.dumps({"id": 1, "op": "ping", "data": {f"{n:x}": n for n in range(1200)}})
    nested = '{"id": 1, "op": "ping", "data": ' + '{"a":' * 2500 + "1" + "}" * 2501
    for _ in range(20):
        async with await dialled(bob) as connection:
            for text in (deep, wide, nested, wide) * 5:
                await connection.send(text)
                assert json.loads(await connection.recv())


async def test_frames_that_are_no_json_until_the_socket_is_closed(patient: Patient, bob: Person) -> None:
    async def babble(number: int) -> Any:
        async with await dial(bob.home.url) as connection:
            for _ in range(5):
                await connection.send(f"hello {number}")
            return await close_of(connection)

    for _ in range(5):
        assert await together(40, babble) == [(4400, ["malformed-frame"] * 5)] * 40


async def test_three_hundred_who_never_say_who_they_are(patient: Patient, bob: Person) -> None:
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(await dial(bob.home.url)) for _ in range(300)]
        assert await asyncio.gather(*map(close_of, connections)) == [(4408, [])] * 300


async def test_upgrades_that_never_end(patient: Patient, bob: Person) -> None:
    host, _, port = bob.home.url.removeprefix("http://").partition(":")
    ends = [await asyncio.open_connection(host, int(port)) for _ in range(100)]
    for _, writer in ends:
        writer.write(b"GET /ws/v1/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nX-Slow: ")
    await asyncio.sleep(0.5)
    for _, writer in ends:
        writer.write(b"still")
    async with await bob.connect() as socket:
        assert await socket.command("ping")
    for _, writer in ends:
        writer.transport.abort()


async def test_a_connect_that_drips_comes_too_late(patient: Patient, bob: Person) -> None:
    async with relay(patient.server) as between, await dial(between.url) as connection:
        between.drip_s = 0.05
        await connection.send(connect_frame(bob))
        assert await close_of(connection) == (4408, [])
        between.drip_s = 0


async def test_commands_that_drip_are_done(patient: Patient, alice: Person, bob: Person) -> None:
    async with relay(patient.server) as between:
        alice.home = Server(between.url, patient.server.process, patient.server.log)
        async with await alice.connect() as socket:
            between.drip_s = 0.002
            answer = await socket.command("trade.gift", gift(bob))
        alice.home = patient.server
    assert answer["trade"]["state"] == "accepted"


@pytest.mark.slow
async def test_half_open_connections_are_given_up(patient: Patient, alice: Person, bob: Person) -> None:
    """Their clients are gone and TCP hasn't noticed: while they are there, the player's other sockets have no place."""
    async with relay(patient.server) as between:
        there, bob.home = bob.home, Server(between.url, patient.server.process, patient.server.log)
        gone = [await bob.connect() for _ in range(5)]
        between.freeze()
        bob.home = there
        with pytest.raises(Refused):
            await bob.connect()
        ends = time.monotonic() + 3 * PATIENCE_S
        while True:
            try:
                async with await bob.connect() as socket:
                    assert await socket.command("ping")
                break
            except (Refused, Lost):
                assert time.monotonic() < ends, "half-open sockets stay for ever"
                await asyncio.sleep(1)
        between.cut()
        for lost in gone:
            await lost.close()


@pytest.mark.slow
async def test_clients_that_never_read(patient: Patient, alice: Person, bob: Person) -> None:
    """Three, each told of some 8 MB of events, more than the kernel's buffers take: it waits in the database."""
    slow = [await dial(bob.home.url, max_queue=1, sock=small_socket(bob.home.url)) for _ in range(3)]
    for connection in slow:
        await connection.send(connect_frame(bob))
    async with await alice.connect() as other:
        for _ in range(30):
            await threads.run(bob.told, 1000)
            assert await other.command("ping")
        await patient.assert_well(alice)
        await asyncio.sleep(12)
        codes = [(await close_of(connection, within_s=PATIENCE_S))[0] for connection in slow]
    # 4408 where all this took so long that they count as silent before they count as slow.
    assert set(codes) <= {1013, 1006, 4408}


async def test_clients_that_ask_and_vanish(patient: Patient, alice: Person, bob: Person) -> None:
    """Commands under way are finished or never begun; the next socket finds a sound hand."""
    for number in range(40):
        connection = await dialled(alice)
        for step in range(4):
            data = gift(bob, f"vanish-{number}-{step}") | {"gives": ["harmony"]}
            await connection.send(json.dumps({"id": step + 2, "op": "trade.gift", "data": data}))
        connection.transport.abort()
    async with Client(alice.home.url) as client:
        client.access = alice.token
        assert (await client.season(alice.season.slug).hand()).hand.counts[CARD] == 10


class TestOneKey:
    """The idempotency key of a command is its player's own."""

    async def test_sent_at_once_over_several_sockets_and_rest(
        self, alice: Person, bob: Person, a: Server, b: Server
    ) -> None:
        async with AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(await alice.connect(server)) for server in (a, b, a, b)]
            answers = await asyncio.gather(
                *(socket.command("trade.gift", gift(bob, "one-key")) for socket in sockets),
                alice.post_gift(bob, key="one-key", server=b),
            )
        assert all(answer == answers[0] for answer in answers)
        assert answers[0]["hand"]["counts"][CARD] == 9

    async def test_of_another_player_is_another_key(self, alice: Person, bob: Person, charlie: Person) -> None:
        async with await alice.connect() as one, await bob.connect() as other:
            first = await one.command("trade.gift", gift(bob, "shared"))
            second = await other.command("trade.gift", gift(charlie, "shared"))
            assert first["trade"]["id"] != second["trade"]["id"]
            # Each has its own answer again.
            assert await one.command("trade.gift", gift(bob, "shared")) == first
            assert await other.command("trade.gift", gift(charlie, "shared")) == second

    async def test_with_another_body_changes_nothing(self, alice: Person, bob: Person, b: Server) -> None:
        async with await alice.connect() as one, await alice.connect(b) as other:
            first = await one.command("trade.gift", gift(bob, "k"))
            with pytest.raises(Refused) as caught:
                await other.command("trade.gift", gift(bob, "k") | {"gives": [CARD, CARD]})
            assert caught.value.code == "idempotency-key-reused"
            assert await other.command("trade.gift", gift(bob, "k")) == first


async def test_five_sockets_of_a_player_on_each_process(bob: Person, a: Server, b: Server) -> None:
    """The limit is a process's own: nobody asks the others."""
    async with AsyncExitStack() as stack:
        for server in (a, b):
            for _ in range(5):
                await stack.enter_async_context(await bob.connect(server))
            with pytest.raises(Refused):
                await bob.connect(server)
