"""What players ask over a socket, and every way in which it can be asked wrongly."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from accounts import tokens
from config.client.sockets import Lost, Refused, Socket, dial
from fortunes import threads
from tests.factories.accounts import PlayerFactory
from tests.realtime.people import CARD, Person, gift
from tests.realtime.servers import Server

pytestmark = pytest.mark.committed


async def refusal_of(socket: Socket, op: str, data: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        await socket.command(op, data)
    return caught.value


async def test_the_answer_to_connect(bob: Person) -> None:
    async with await bob.connect() as socket:
        welcome = socket.welcome

    assert (welcome.player, welcome.campaign, welcome.ping_s) == (bob.id, bob.season.slug, 25)
    assert welcome.expires_at > welcome.server_time


async def test_a_ping_tells_the_newest_numbers(alice: Person, bob: Person) -> None:
    async with await bob.connect() as socket:
        await alice.post_gift(bob)
        pong = await socket.command("ping")
        assert pong["seq"] == socket.welcome.seq + 1
        assert pong["campaign_seq"] == socket.welcome.campaign_seq
        assert pong["server_time"] >= socket.welcome.server_time


async def test_a_gift(alice: Person, bob: Person, b: Server) -> None:
    async with await alice.connect() as giver, await bob.connect(b) as receiver:
        answer = await giver.command("trade.gift", gift(bob))
        push = await receiver.next()

    assert answer["trade"]["gives"] == [CARD]
    assert answer["trade"]["recipient"] == bob.id
    assert answer["hand"]["counts"][CARD] == 9
    assert (push.event, push.data["trade"]) == ("gift.received", answer["trade"]["id"])


async def test_a_command_that_is_sent_again_is_done_once_and_answered_alike(alice: Person, bob: Person) -> None:
    async with await alice.connect() as socket:
        first = await socket.command("trade.gift", gift(bob, "once"))
        again = await socket.command("trade.gift", gift(bob, "once"))
        over_rest = await alice.post_gift(bob, key="once")
        newest = await socket.command("ping")

    assert first == again == over_rest
    assert newest["seq"] == socket.welcome.seq + 1


async def test_a_request_is_answered_over_the_socket_too(alice: Person, bob: Person) -> None:
    over_rest = await alice.post_gift(bob, key="once")
    async with await alice.connect() as socket:
        assert await socket.command("trade.gift", gift(bob, "once")) == over_rest


async def test_two_sockets_send_the_same_command_at_once(alice: Person, bob: Person, a: Server, b: Server) -> None:
    async with await alice.connect(a) as one, await alice.connect(b) as other:
        answers = await asyncio.gather(*(s.command("trade.gift", gift(bob, "k")) for s in (one, other) * 3))

    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["hand"]["counts"][CARD] == 9


async def test_twenty_commands_at_once(alice: Person, bob: Person) -> None:
    async with await alice.connect() as socket:
        answers = await asyncio.gather(
            *(socket.command("trade.gift", gift(bob)) for _ in range(20)), return_exceptions=True
        )

    given = [answer for answer in answers if isinstance(answer, dict)]
    refused = [answer.code for answer in answers if isinstance(answer, Refused)]
    assert [answer["hand"]["counts"][CARD] for answer in given] == list(range(9, -1, -1))
    assert refused == ["card-not-held"] * 10


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"key": ""}, "idempotency-key-missing"),
        ({"key": "no spaces"}, "idempotency-key-invalid"),
        ({"key": "x" * 65}, "idempotency-key-invalid"),
        ({"gives": ["harmony"]}, "card-not-held"),
        ({"gives": ["dragon"]}, "kind-unknown"),
        ({"gives": []}, "invalid-request"),
        ({"gives": CARD}, "invalid-request"),
        ({"gives": [7]}, "invalid-request"),
        ({"to": "nobody"}, "invalid-request"),
        ({"to": "00000000-0000-4000-8000-000000000000"}, "friend-not-found"),
        ({"to": ["nobody"]}, "invalid-request"),
        ({"type": "gift"}, "invalid-request"),
    ],
)
async def test_a_gift_that_is_refused(alice: Person, bob: Person, change: dict[str, Any], code: str) -> None:
    async with await alice.connect() as socket:
        refused = await refusal_of(socket, "trade.gift", gift(bob) | change)
        assert (refused.code, refused.body["temporary"]) == (code, False)
        assert refused.body["type"] == f"/api/v1/problems/{code}"
        # Nothing has changed, and the socket goes on.
        assert (await socket.command("ping"))["seq"] == socket.welcome.seq


async def test_gifts_to_oneself_and_to_strangers(alice: Person) -> None:
    stranger = await threads.run(PlayerFactory.create)
    async with await alice.connect() as socket:
        assert (await refusal_of(socket, "trade.gift", gift(alice))).code == "trade-with-oneself"
        data = gift(alice) | {"to": str(stranger.public_id)}
        assert (await refusal_of(socket, "trade.gift", data)).code == "friend-not-found"


async def test_a_key_that_came_before_with_another_body(alice: Person, bob: Person, charlie: Person) -> None:
    async with await alice.connect() as socket:
        await socket.command("trade.gift", gift(bob, "once"))
        assert (await refusal_of(socket, "trade.gift", gift(charlie, "once"))).code == "idempotency-key-reused"


async def test_wrong_fields_are_named(alice: Person, bob: Person) -> None:
    async with await alice.connect() as socket:
        refused = await refusal_of(socket, "trade.gift", gift(bob) | {"more": "hi", "to": "x"})

    assert {error["pointer"] for error in refused.body["facts"]["errors"]} == {"/more"}


async def test_messages_come_in_the_clients_language(alice: Person, bob: Person) -> None:
    async with await alice.connect(additional_headers={"Accept-Language": "zh-CN,zh;q=0.9"}) as socket:
        chinese = await refusal_of(socket, "trade.gift", gift(alice))
    async with await alice.connect(additional_headers={"Accept-Language": "xx, en;q=0.5"}) as socket:
        english = await refusal_of(socket, "trade.gift", gift(alice))

    assert english.body["message"].isascii()
    assert chinese.code == english.code


async def test_an_unknown_command(bob: Person) -> None:
    async with await bob.connect() as socket:
        assert (await refusal_of(socket, "trade.steal.everything", {})).code == "unknown-op"
        assert (await refusal_of(socket, "", {})).code == "unknown-op"
        assert (await refusal_of(socket, "connect", {})).code == "malformed-frame"
        assert (await socket.command("ping"))["seq"] == socket.welcome.seq


async def test_more_commands_than_may_wait(alice: Person, bob: Person) -> None:
    async with await alice.connect() as socket:
        answers = await asyncio.gather(*(socket.command("ping") for _ in range(50)), return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, Refused)]
        assert {answer.code for answer in refused} <= {"too-many-requests"}
        assert all(answer.body["temporary"] for answer in refused)
        assert len(answers) - len(refused) >= 32


async def test_a_newer_token_of_the_same_player(alice: Person, bob: Person) -> None:
    async with await bob.connect() as socket:
        newer = await threads.run(tokens.issue, bob.row)
        renewed = await socket.command("token.refresh", {"token": newer.token})
        assert renewed["expires_at"] >= socket.welcome.expires_at
        assert (await refusal_of(socket, "token.refresh", {"token": alice.token})).code == "forbidden"
        assert (await refusal_of(socket, "token.refresh", {})).code == "invalid-request"


MALFORMED = [
    "",
    "hello",
    "null",
    "[]",
    "{}",
    '{"id": 1}',
    '{"id": 1, "op": "ping", "data": []}',
    '{"id": 1, "op": "ping", "data": null}',
    '{"id": 1, "op": 7}',
    '{"id": "1", "op": "ping"}',
    '{"id": 1.5, "op": "ping"}',
    '{"id": true, "op": "ping"}',
    '{"id": 0, "op": "ping"}',
    '{"id": -1, "op": "ping"}',
    '{"id": 99999999999999999999999999, "op": "ping"}',
    '{"id": 1, "op": "ping", "more": 1}',
    '{"id": 1, "op": "ping\\u0000"}',
    '{"id": 1, "op": "ping", "data": {"\\u0000": 1}}',
    '{"id": 1, "op": "ping", "data": {"n": 1e999}}',
    '{"id": 1, "op": "ping", "data": {"n": 123456789012345678901234567890}}',
    '{"id": 1, "op": "ping", "data": {"s": "\\ud800"}}',
    "[" * 15_000,
    '{"a":' * 3_000,
    "\x00",
]


@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: text[:24])
async def test_a_malformed_frame_gets_an_error_frame(bob: Person, text: str) -> None:
    async with await dialled(bob) as connection:
        await connection.send(text)
        error = json.loads(await connection.recv())
        assert (error["error"]["code"], error["error"]["temporary"]) == ("malformed-frame", False)
        assert await ping(connection)


@pytest.mark.parametrize("depth", [200, 500, 800, 900, 950, 980, 1000, 1100])
async def test_a_deep_frame_is_answered(bob: Person, depth: int) -> None:
    async with await dialled(bob) as connection:
        await connection.send('{"id": 1, "op": "ping", "data": ' + '{"a":' * depth + "1" + "}" * (depth + 1))
        answer = json.loads(await connection.recv())
        assert "result" in answer or answer["error"]["code"] == "malformed-frame"
        assert await ping(connection)


async def test_the_error_of_a_malformed_frame_has_its_id_where_it_has_one(bob: Person) -> None:
    async with await dialled(bob) as connection:
        await connection.send('{"id": 7, "op": "ping", "data": 1}')
        assert json.loads(await connection.recv())["id"] == 7
        await connection.send('{"id": "seven", "op": "ping"}')
        assert json.loads(await connection.recv())["id"] is None


async def dialled(person: Person) -> ClientConnection:
    """A bare, connected socket."""
    connection = await dial(person.home.url)
    data = {"token": person.token, "campaign": person.season.slug}
    await connection.send(json.dumps({"id": 1, "op": "connect", "data": data}))
    assert "result" in json.loads(await connection.recv())
    return connection


async def ping(connection: ClientConnection) -> bool:
    await connection.send('{"id": 2, "op": "ping"}')
    return "result" in json.loads(await connection.recv())


async def test_a_connect_that_is_refused_can_be_made_again(bob: Person) -> None:
    connection = await dial(bob.home.url)
    good = {"token": bob.token, "campaign": bob.season.slug}
    for data, code in (
        (good | {"campaign": "no-such-season"}, "campaign-not-found"),
        (good | {"resume": {"seq": -1, "campaign_seq": 0}}, "invalid-request"),
        (good | {"resume": {"seq": 10**18 * 100, "campaign_seq": 0}}, "malformed-frame"),
        (good | {"resume": 5}, "invalid-request"),
        ({"campaign": bob.season.slug}, "invalid-request"),
    ):
        await connection.send(json.dumps({"id": 1, "op": "connect", "data": data}))
        assert json.loads(await connection.recv())["error"]["code"] == code
    await connection.send(json.dumps({"id": 1, "op": "connect", "data": good}))
    assert "result" in json.loads(await connection.recv())
    await connection.close()


async def test_a_lost_socket_tells_its_waiting_commands(bob: Person) -> None:
    socket = await bob.connect()
    await socket.close()
    with pytest.raises(Lost):
        await socket.command("ping")
