"""A socket that stays: whatever happens to its connections, each push comes once and each command is done once."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from websockets.asyncio.server import ServerConnection, serve

from config.client.line import Line
from config.client.pushes import GiftReceived, Push
from config.client.rest import Client
from config.client.sockets import SUBPROTOCOL, Lost, Position, Refused, Welcome
from config.local import processes
from fortunes import threads
from tests.realtime import servers
from tests.realtime.people import CARD, Person
from tests.realtime.servers import Server
from tests.realtime.weather import relay

pytestmark = pytest.mark.committed

PATIENCE_S = 60


class Listener:
    """An app that writes down what it is told, and how often it had to fetch its snapshot."""

    def __init__(self, url: str, token: str, campaign: str, position: Position | None = None) -> None:
        self.heard: list[Push] = []
        self.fetched: list[Welcome] = []
        self.ended: Exception | None = None
        self._token = token
        self.line = Line(url, self._give, campaign, position, fetch=self._fetch)
        self._task = asyncio.create_task(self._listen())

    async def _give(self, refused: str = "") -> str:
        return self._token

    async def _fetch(self, welcome: Welcome) -> None:
        self.fetched.append(welcome)

    async def _listen(self) -> None:
        try:
            async for push in self.line.pushes():
                self.heard.append(push)
        except (Refused, Lost) as error:
            self.ended = error

    @property
    def seqs(self) -> list[int | None]:
        return [push.seq for push in self.heard if push.seq]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await asyncio.sleep(0.02)

    async def leave(self) -> None:
        await self.line.hang_up()
        async with asyncio.timeout(PATIENCE_S):
            await self._task


@asynccontextmanager
async def listening(
    person: Person, url: str | None = None, position: Position | None = None
) -> AsyncIterator[Listener]:
    listener = Listener(url or person.home.url, person.token, person.season.slug, position)
    try:
        yield listener
    finally:
        await listener.leave()


async def test_every_push_once_in_order_however_often_the_connection_is_cut(alice: Person, bob: Person) -> None:
    begin = await bob.position()
    async with relay(bob.home) as between, listening(bob, between.url, begin) as app:
        for _ in range(5):
            await threads.run(bob.told, 7)
            await app.until(lambda: bool(app.heard))
            between.cut()
            await threads.run(bob.told, 3)
        await app.until(lambda: len(app.heard) >= 50)

    first = app.seqs[0]
    assert first is not None
    assert app.seqs == list(range(first, first + 50))
    assert app.line.reconnects >= 1
    assert (app.line.gaps, app.fetched) == (0, [])


async def test_a_command_whose_answer_was_lost_is_sent_again_and_done_once(
    season: Any, alice: Person, bob: Person
) -> None:
    async with relay(alice.home) as between, listening(alice, between.url) as app:
        await app.line.ping()
        between.answers.clear()
        giving = asyncio.create_task(app.line.gift(bob.id, [CARD]))
        async with Client(alice.home.url) as eye:
            eye.access = alice.token
            async with asyncio.timeout(PATIENCE_S):
                # Done, and its answer is on the way.
                while (await eye.season(season.slug).hand()).hand.counts[CARD] == 10:
                    await asyncio.sleep(0.05)
            between.cut()
            between.answers.set()
            receipt = await giving
            after = await eye.season(season.slug).hand()

    assert app.line.repeats >= 1
    assert receipt.trade.state == "accepted"
    assert (receipt.hand.counts[CARD], after.hand.counts[CARD]) == (9, 9)


async def test_the_app_is_told_to_fetch_where_pushes_cannot_make_up(bob: Person) -> None:
    begin = await bob.position()
    await threads.run(bob.told, 1001)
    async with listening(bob, position=begin) as app:
        await app.until(lambda: bool(app.fetched))
        await threads.run(bob.told, 1)
        await app.until(lambda: bool(app.heard))
    assert app.line.gaps == 1
    assert [welcome.recovered for welcome in app.fetched] == [False]
    assert app.seqs == [app.fetched[0].seq + 1]


async def test_a_fetch_that_fails_is_asked_for_again(bob: Person) -> None:
    """The position doesn't move on before the snapshot is there."""
    begin = await bob.position()
    await threads.run(bob.told, 1001)

    async def give(refused: str = "") -> str:
        return bob.token

    async def fail(welcome: Welcome) -> None:
        raise OSError("the app's own disk is full")

    line = Line(bob.home.url, give, bob.season.slug, begin, fetch=fail)
    with pytest.raises(OSError, match="disk"):
        async for _ in line.pushes():
            pass
    assert line.position == begin


async def test_the_position_is_of_the_last_push_that_was_processed(bob: Person) -> None:
    begin = await bob.position()
    await threads.run(bob.told, 3)
    async with Client(bob.home.url) as client:
        client.access = bob.token
        line = client.line(bob.season.slug, resume=begin)
        taken = 0
        async for _ in line.pushes():
            taken += 1
            if taken == 2:
                break
        assert line.position is not None
        resumed_from = line.position.seq
    # The second was taken and not finished: it would come again.
    assert resumed_from == begin.seq + 1


async def test_pushes_are_typed(alice: Person, bob: Person) -> None:
    async with listening(bob, position=await bob.position()) as app:
        await alice.post_gift(bob)
        await app.until(lambda: bool(app.heard))
    news = app.heard[0].news
    assert isinstance(news, GiftReceived)
    assert (news.sender, news.gives) == (alice.id, [CARD])


async def test_a_restarted_server_loses_neither_commands_nor_pushes(alice: Person, bob: Person, tmp_path: Path) -> None:
    begin = await bob.position()
    with processes.listen("127.0.0.1", 0) as listener, ExitStack() as stack:
        first = servers.listening(listener, tmp_path / "1.log")
        server = first.__enter__()
        async with listening(bob, server.url, begin) as app, listening(alice, server.url) as giver:
            await asyncio.gather(app.line.ping(), giver.line.ping())
            giving = [asyncio.create_task(giver.line.gift(bob.id, [CARD])) for _ in range(8)]
            await asyncio.sleep(0)
            await asyncio.to_thread(first.__exit__, None, None, None)
            await asyncio.to_thread(stack.enter_context, servers.listening(listener, tmp_path / "2.log"))
            receipts = await asyncio.gather(*giving)
            await app.until(lambda: len(app.heard) >= 8)
    assert len({receipt.trade.id for receipt in receipts}) == 8
    assert {push.data["trade"] for push in app.heard} == {receipt.trade.id for receipt in receipts}
    assert len(app.heard) == 8
    assert app.line.reconnects >= 1


@asynccontextmanager
async def signed_up(server: Server) -> AsyncIterator[Client]:
    async with Client(server.url) as client:
        await client.sign_up(f"line{secrets.token_hex(5)}", secrets.token_hex(8))
        yield client


async def collect(line: Line) -> None:
    with suppress(Lost):
        async for _ in line.pushes():
            pass


@pytest.mark.slow
async def test_tokens_are_renewed_on_the_open_socket(season: Any, tmp_path: Path) -> None:
    with servers.running(tmp_path / "web.log", ACCESS_TOKEN_LIFETIME_S="14") as server:
        async with signed_up(server) as client:
            line = client.line(season.slug)
            listening = asyncio.create_task(collect(line))
            await line.ping()
            first = client.access
            expired = datetime.now(UTC).timestamp() + 14
            while datetime.now(UTC).timestamp() < expired + 3:
                await asyncio.sleep(0.5)
            assert await line.ping()
            assert client.access != first
            # Not even once was the socket lost for it.
            assert line.reconnects == 0
            await line.hang_up()
            await listening


async def test_a_token_that_is_refused_is_renewed_once(season: Any, a: Server) -> None:
    async with signed_up(a) as client:
        client.access = "stale"
        line = client.line(season.slug)
        listening = asyncio.create_task(collect(line))
        assert await line.ping()
        await line.hang_up()
        await listening


async def test_who_cannot_renew_is_told_to_sign_in(bob: Person) -> None:
    bob.token = "stale"
    async with listening(bob) as app:
        await app.until(lambda: app.ended is not None)
        assert isinstance(app.ended, Refused) and app.ended.code == "token-invalid"
        with pytest.raises(Lost):
            await app.line.ping()


async def test_a_player_who_was_shut_out_is_not_let_in_again(bob: Person) -> None:
    async with listening(bob) as app:
        await app.line.ping()
        await sync_to_async(type(bob.row).objects.filter(pk=bob.row.pk).update)(is_active=False)
        await app.until(lambda: app.ended is not None)
        assert isinstance(app.ended, Lost | Refused)
        with pytest.raises(Lost):
            await app.line.ping()


async def test_too_many_sockets_are_the_apps_own_fault(bob: Person) -> None:
    sockets = [await bob.connect() for _ in range(5)]
    async with listening(bob) as app:
        await app.until(lambda: app.ended is not None)
        assert isinstance(app.ended, Refused) and app.ended.code == "too-many-requests"
    for socket in sockets:
        await socket.close()


async def test_a_line_is_hung_up_while_nobody_answers(bob: Person) -> None:
    bob.home = Server(f"http://127.0.0.1:{processes.free_port()}", bob.home.process, bob.home.log)
    async with listening(bob) as app:
        waiting = asyncio.create_task(app.line.ping())
        await asyncio.sleep(0.5)
    with pytest.raises(Lost):
        await waiting


class Peer:
    """A server that says what it was told to say; for what the real one only does under stress."""

    def __init__(self, *answers: dict[str, Any], pushes: tuple[dict[str, Any], ...] = ()) -> None:
        self.asked: list[dict[str, Any]] = []
        self.at: list[float] = []
        self._answers = list(answers)
        self._pushes = pushes

    async def __call__(self, connection: ServerConnection) -> None:
        async for text in connection:
            frame = json.loads(text)
            if frame["op"] == "connect":
                welcome = {
                    "recovered": False, "epoch": "e", "seq": 0, "campaign_seq": 0, "player": "p", "campaign": "c",
                    "ping_s": 25, "expires_at": "2100-01-01T00:00:00Z", "server_time": "2026-01-01T00:00:00Z",
                }  # fmt: skip
                await connection.send(json.dumps({"id": frame["id"], "result": welcome}))
                for push in self._pushes:
                    await connection.send(json.dumps(push))
                continue
            self.asked.append(frame)
            self.at.append(asyncio.get_running_loop().time())
            await connection.send(json.dumps({"id": frame["id"], **self._answers.pop(0)}))


@asynccontextmanager
async def told_by(peer: Peer) -> AsyncIterator[Listener]:
    async with serve(peer, "127.0.0.1", 0, subprotocols=[SUBPROTOCOL]) as server:
        port = server.sockets[0].getsockname()[1]
        listener = Listener(f"http://127.0.0.1:{port}", "t", "c")
        try:
            yield listener
        finally:
            await listener.leave()


BUSY = {"code": "busy", "type": "", "message": "", "temporary": True, "retry_after": 1}


async def test_what_is_temporary_is_asked_again_under_the_same_key_and_not_before_it_was_said() -> None:
    peer = Peer({"error": BUSY}, {"error": BUSY | {"retry_after": None}}, {"result": {"ok": 1}})
    async with told_by(peer) as app:
        assert await app.line.command("any", {"key": "k"}) == {"ok": 1}
    assert [frame["data"]["key"] for frame in peer.asked] == ["k"] * 3
    assert peer.at[1] - peer.at[0] >= 1


async def test_nobody_is_kept_waiting_for_a_quarter_of_an_hour() -> None:
    peer = Peer({"error": BUSY | {"code": "locked-out", "retry_after": 900}})
    async with told_by(peer) as app:
        with pytest.raises(Refused) as caught:
            await app.line.command("any", {})
    assert (caught.value.code, caught.value.retry_after) == ("locked-out", 900)


async def test_a_push_that_came_before_is_dropped() -> None:
    def push(**numbers: int) -> dict[str, Any]:
        return {"event": "new.kind", "at": "2026-01-01T00:00:00Z", "data": {}, **numbers}

    doubled = (push(seq=1), push(campaign_seq=1), push(seq=1), push(seq=2), push(campaign_seq=1), push())
    async with told_by(Peer(pushes=doubled)) as app:
        await app.until(lambda: len(app.heard) == 4)
    assert app.line.doubles == 2
    assert app.heard[0].news is None
