"""Every code with which the server closes a socket, and who is not let in at all."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pytest_django import Settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from accounts import tokens
from accounts.models import Player
from config import watch
from config.client.sockets import Lost, dial
from config.sockets.frames import Close
from fortunes import threads
from tests.realtime import servers
from tests.realtime.people import Person, gift
from tests.realtime.servers import Server

pytestmark = pytest.mark.committed

CONNECT_TIMEOUT_S = 5


async def close_of(connection: ClientConnection, within_s: float = 30) -> tuple[int | None, list[str]]:
    """The code, and the codes of the errors that came before it."""
    errors = []
    try:
        async with asyncio.timeout(within_s):
            while True:
                errors.append(json.loads(await connection.recv()).get("error", {}).get("code"))
    except ConnectionClosed:
        return connection.close_code, errors


def connect_frame(person: Person, **data: Any) -> str:
    given = {"token": person.token, "campaign": person.season.slug, **data}
    return json.dumps({"id": 1, "op": "connect", "data": given})


@pytest.mark.parametrize("offered", [None, ["graphql-ws"], ["fivefortunes.v2.json"]])
async def test_4406_without_our_subprotocol(bob: Person, offered: Any) -> None:
    async with await dial(bob.home.url, subprotocols=offered) as connection:
        assert await close_of(connection) == (4406, [])


async def test_the_subprotocol_is_echoed(bob: Person) -> None:
    offered = ["other", "fivefortunes.v1.json"]
    async with await dial(bob.home.url, subprotocols=offered) as connection:
        assert connection.subprotocol == "fivefortunes.v1.json"


async def test_4408_without_a_connect(bob: Person) -> None:
    async with await dial(bob.home.url) as connection:
        assert await close_of(connection, within_s=30) == (4408, [])


async def test_4401_for_commands_before_the_connect(bob: Person) -> None:
    async with await dial(bob.home.url) as connection:
        await connection.send('{"id": 1, "op": "ping"}')
        assert await close_of(connection) == (4401, ["not-signed-in"])


async def test_commands_may_follow_the_connect_without_waiting(bob: Person) -> None:
    async with await dial(bob.home.url) as connection:
        await connection.send(connect_frame(bob))
        await connection.send('{"id": 2, "op": "ping"}')
        answers = [json.loads(await connection.recv()) for _ in range(2)]
    assert [answer["id"] for answer in answers] == [1, 2]
    assert all("result" in answer for answer in answers)


async def test_4401_for_tokens_that_are_not_ours(bob: Person) -> None:
    header, payload, signature = bob.token.split(".")
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    for token in ("x", "", f"{header}.{payload}.{signature[::-1]}", f"{unsigned}.{payload}.", "a.b.c", "🧧" * 50):
        async with await dial(bob.home.url) as connection:
            await connection.send(connect_frame(bob, token=token))
            if token:
                assert await close_of(connection) == (4401, ["token-invalid"])
            else:
                assert json.loads(await connection.recv())["error"]["code"] == "invalid-request"


async def test_4401_for_an_expired_token(bob: Person, settings: Settings) -> None:
    settings.ACCESS_TOKEN_LIFETIME_S = -1
    expired = await threads.run(tokens.issue, bob.row)
    async with await dial(bob.home.url) as connection:
        await connection.send(connect_frame(bob, token=expired.token))
        assert await close_of(connection) == (4401, ["token-expired"])


async def test_4401_when_the_token_expires_while_connected(bob: Person, settings: Settings) -> None:
    settings.ACCESS_TOKEN_LIFETIME_S = 5
    brief = await threads.run(tokens.issue, bob.row)
    settings.ACCESS_TOKEN_LIFETIME_S = 900
    bob.token, newer = brief.token, await threads.run(tokens.issue, bob.row)

    async with await bob.connect() as left, await bob.connect() as renewed:
        await renewed.command("token.refresh", {"token": newer.token})
        async with asyncio.timeout(30):
            lost = await left.wait_lost()
        assert (lost.code, lost.reason) == (4401, "token-expired")
        assert await renewed.command("ping")


async def test_4403_for_a_player_who_is_shut_out(alice: Person, bob: Person) -> None:
    async with await alice.connect() as of_alice, await bob.connect() as of_bob:
        await threads.run(Player.objects.filter(pk=bob.row.pk).update, is_active=False)
        async with asyncio.timeout(30):
            lost = await of_bob.wait_lost()
        assert (lost.code, lost.reason) == (4403, "shut-out")
        assert await of_alice.command("ping")


async def test_4400_after_five_malformed_frames_in_a_row(bob: Person) -> None:
    async with await dial(bob.home.url) as connection:
        await connection.send(connect_frame(bob))
        await connection.recv()
        for _ in range(2):
            for _ in range(4):
                await connection.send("{")
                await connection.recv()
            await connection.send('{"id": 3, "op": "ping"}')
            assert json.loads(await connection.recv())["id"] == 3
        for _ in range(5):
            await connection.send("{")
        assert await close_of(connection) == (4400, ["malformed-frame"] * 5)


async def test_4400_for_a_binary_frame(bob: Person) -> None:
    async with await dial(bob.home.url) as connection:
        await connection.send(b'{"id": 1, "op": "ping"}')
        assert await close_of(connection) == (4400, [])


@pytest.mark.parametrize("size", [16 * 1024 + 1, 60_000, 70_000, 5_000_000])
async def test_1009_for_a_frame_that_is_too_large(bob: Person, size: int) -> None:
    async with await dial(bob.home.url) as connection:
        with contextlib.suppress(ConnectionClosed):
            await connection.send('{"id": 1, "op": "' + "x" * (size - 19) + '"}')
        assert await close_of(connection) == (1009, [])


async def test_a_frame_of_16_kib_is_read(bob: Person) -> None:
    async with await bob.connect() as socket:
        frame = json.dumps({"id": 1, "op": "ping", "data": {"x": ""}})
        await socket.send(frame.replace('""', '"' + "x" * (16 * 1024 - len(frame)) + '"'))
        assert await socket.command("ping")


async def test_4429_for_a_flood_of_frames(bob: Person) -> None:
    async with await dial(bob.home.url) as connection:
        await connection.send(connect_frame(bob))
        with contextlib.suppress(ConnectionClosed):
            for number in range(2, 500):
                await connection.send(json.dumps({"id": number, "op": "ping"}))
        code, _ = await close_of(connection)
        assert code == 4429


async def test_4429_for_more_sockets_than_a_player_may_have(alice: Person, bob: Person) -> None:
    open_ones = [await bob.connect() for _ in range(5)]
    async with await dial(bob.home.url) as connection:
        await connection.send(connect_frame(bob))
        assert await close_of(connection) == (4429, ["too-many-requests"])
    async with await alice.connect() as other:
        assert await other.command("ping")
    await open_ones.pop().close()
    await asyncio.sleep(0.2)
    async with await bob.connect() as again:
        assert await again.command("ping")
    for socket in open_ones:
        await socket.close()


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("{own}", True),
        ("https://evil.example", False),
        ("http://127.0.0.1:1", False),
        ("null", False),
        ("http://[", False),
        ("ftp://{host}", False),
        ("http://{host}.evil.example", False),
    ],
)
async def test_only_our_own_pages_may_open_a_socket(bob: Person, origin: str | None, allowed: bool) -> None:
    own = bob.home.url
    given = origin and origin.format(own=own, host=own.removeprefix("http://"))
    if allowed:
        async with await bob.connect(origin=given) as socket:
            assert await socket.command("ping")
    else:
        with pytest.raises(InvalidStatus) as caught:
            await dial(own, origin=given)
        assert caught.value.response.status_code == 403


@pytest.mark.parametrize("path", ["", "ws/v2/", "ws/v1", "api/v1/me"])
async def test_there_is_one_address_for_sockets(a: Server, path: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await connect(f"{a.url.replace('http', 'ws')}/{path}", proxy=None)
    assert caught.value.response.status_code == 403


async def test_strange_headers_do_no_harm(bob: Person) -> None:
    headers = {"Accept-Language": "x" * 4000 + ",*;q=2, ü", "X-Strange": "\u00ff"}
    async with await bob.connect(additional_headers=headers) as socket:
        assert await socket.command("ping")


async def test_a_host_that_is_not_ours_matches_no_origin(bob: Person) -> None:
    """An attacker's name that was pointed at this server (DNS rebinding)."""
    port = bob.home.url.rpartition(":")[2]
    with pytest.raises(InvalidStatus):
        await dial(f"http://rebound.example:{port}", origin=f"http://rebound.example:{port}", host="127.0.0.1")


async def test_origins_and_clients_without_one_by_settings(bob: Person, tmp_path: Path) -> None:
    given = {"SOCKET_ORIGINS": "https://play.example", "SOCKET_ALLOW_NO_ORIGIN": "0"}
    with servers.running(tmp_path / "web.log", **given) as server:
        async with await bob.connect(server, origin="https://play.example") as socket:
            assert await socket.command("ping")
        with pytest.raises(InvalidStatus):
            await bob.connect(server)


async def test_1012_when_the_server_stops_and_nothing_is_lost(
    alice: Person, bob: Person, b: Server, tmp_path: Path
) -> None:
    with servers.running(tmp_path / "web.log") as server:
        socket = await bob.connect(server)
        busy = await alice.connect(server)
        answers = [asyncio.create_task(busy.command("trade.gift", gift(bob, f"key-{n}"))) for n in range(8)]
        await asyncio.sleep(0)
        server.terminate()
        lost = await socket.wait_lost()
        server.process.wait(30)
    assert lost.code == 1012
    await asyncio.gather(*answers, return_exceptions=True)
    assert all(task.exception() is None or isinstance(task.exception(), Lost) for task in answers)

    # The commands are sent again elsewhere, and each was done once; the events are all there.
    async with await alice.connect(b) as again:
        for number in range(8):
            await again.command("trade.gift", gift(bob, f"key-{number}"))
    async with await bob.connect(b, resume=socket.position) as resumed:
        assert resumed.welcome.recovered
        assert resumed.welcome.seq == socket.welcome.seq + 8


class Patient:
    """A socket to be watched, which writes down how it was closed."""

    def __init__(self, person: Person, *, silent_for_s: float) -> None:
        self.player_id, self.campaign_id = person.row.pk, person.season.pk
        self.session: UUID | None = uuid4()
        self.expires_at = datetime.max.replace(tzinfo=UTC)
        self.heard_at = asyncio.get_running_loop().time() - silent_for_s
        self.closed: list[tuple[int, str]] = []

    def wake(self, kind: str, seq: int) -> None:
        pass

    def tell(self, frame: str, about: str) -> None:
        pass

    def shut(self, code: Close, reason: str) -> None:
        self.closed.append((code, reason))


async def test_4408_for_a_client_that_has_fallen_silent(alice: Person, bob: Person) -> None:
    watching = watch.Watch()
    silent, well = Patient(alice, silent_for_s=76), Patient(bob, silent_for_s=50)
    for patient in (silent, well):
        await watching.add(patient)
    await asyncio.sleep(1.5 * watch.TICK_S)
    for task in watching._tasks:
        task.cancel()
    assert (silent.closed[0], well.closed) == ((4408, "silent"), [])
