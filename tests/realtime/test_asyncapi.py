"""docs/asyncapi.json is an AsyncAPI 3 document, and every event that really occurs is as it says."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from jsonschema import Draft7Validator
from websockets.asyncio.client import ClientConnection

from accounts import tokens
from config.client.sockets import dial
from config.local.environment import ROOT
from config.sockets import asyncapi
from fortunes import events
from fortunes.models import Campaign
from tests.factories.accounts import PlayerFactory
from tests.realtime import servers
from tests.realtime.occurrences import EPHEMERAL, OCCURRENCES, season
from tests.realtime.protocol import PROTOCOL, at, faults, payload_of, unmentioned
from tests.realtime.servers import Server

OFFICIAL = Draft7Validator(json.loads((ROOT / "tests/asyncapi/schema-3.0.0.json").read_text()))


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from references(item)


class TestTheDocument:
    def test_is_an_asyncapi_3_document(self) -> None:
        written = json.loads((settings.BASE_DIR / "docs/asyncapi.json").read_text())
        for document in (PROTOCOL, written):
            assert [fault.message for fault in OFFICIAL.iter_errors(document)] == []

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda document: document.update(asyncapi="2.6.0"),
            lambda document: document.update(servers=[]),
            lambda document: document["operations"]["ask"].update(action="publish"),
            lambda document: document["operations"]["ask"].pop("channel"),
            lambda document: document["channels"]["socket"].update(subscribe={}),
            lambda document: document["components"]["messages"]["ping"]["payload"].update(type="number!"),
            lambda document: document["components"]["messages"]["ping"]["payload"].update(required="id"),
        ],
    )
    def test_control_a_spoilt_one_is_found(self, spoil: Any) -> None:
        document = copy.deepcopy(PROTOCOL)
        spoil(document)
        assert not OFFICIAL.is_valid(document)

    def test_refers_to_nothing_that_is_not_there(self) -> None:
        found = set(references(PROTOCOL))
        assert found
        for reference in found:
            assert at(reference)

    def test_each_schema_is_one(self) -> None:
        for schema in (*PROTOCOL["components"]["schemas"].values(), *map(_payload, PROTOCOL["components"]["messages"])):
            Draft7Validator.check_schema(schema)


def _payload(message: str) -> Any:
    return PROTOCOL["components"]["messages"][message]["payload"]


def test_every_event_type_has_an_occurrence() -> None:
    """Whoever adds an event adds a function to occurrences.py."""
    assert sorted(OCCURRENCES) == sorted(events.TYPES)
    assert sorted(EPHEMERAL) == sorted(asyncapi.EPHEMERAL)


async def connected(server: Server, token: str, campaign: Campaign, **resume: int) -> ClientConnection:
    connection = await dial(server.url)
    data = {"token": token, "campaign": campaign.slug, "resume": resume or None}
    await connection.send(json.dumps({"id": 1, "op": "connect", "data": data}))
    welcome = json.loads(await connection.recv())
    assert faults(welcome, payload_of("connect.result")) == []
    return connection


async def pushed(connection: ClientConnection, name: str) -> dict[str, Any]:
    """The first frame of this type."""
    while True:
        frame: dict[str, Any] = json.loads(await connection.recv())
        if frame.get("event") == name:
            return frame


def check(frame: dict[str, Any], message: str) -> None:
    assert faults(frame, payload_of(message)) == []
    assert unmentioned(frame, _payload(message)) == set()


@pytest.mark.committed
@pytest.mark.parametrize("name", sorted(OCCURRENCES))
async def test_an_occurrence_is_as_documented(name: str, a: Server, owner_connection: psycopg.Connection) -> None:
    player, campaign = await sync_to_async(OCCURRENCES[name])(owner_connection)
    # Some of what occurs moves the clock.
    await sync_to_async(servers.up_to_date)(a)
    token = (await sync_to_async(tokens.issue)(player)).token
    async with await connected(a, token, campaign, seq=0, campaign_seq=0) as connection:
        frame = await pushed(connection, name)
    check(frame, name)

    is_broadcast = name.startswith(asyncapi.BROADCASTS)
    path = f"campaigns/{campaign.slug}/broadcasts" if is_broadcast else "events"
    async with httpx.AsyncClient(base_url=f"{a.url}/api/v1/", trust_env=False) as http:
        answer = (await http.get(path, params={"after": 0}, headers={"Authorization": f"Bearer {token}"})).json()
    number = frame["campaign_seq" if is_broadcast else "seq"]
    (notice,) = (notice for notice in answer["items"] if notice["seq"] == number)
    told = {**notice, "campaign_seq": number} if is_broadcast else notice
    assert {**told, **frame} == told
    # The same fact by both ways, and by the schema of its data.
    struct = events.TYPES[name].__name__
    assert faults(notice["data"], f"components/schemas/{struct}") == []


@pytest.mark.committed
@pytest.mark.parametrize("name", sorted(EPHEMERAL))
async def test_an_ephemeral_frame_is_as_documented(name: str, a: Server) -> None:
    campaign, player = await sync_to_async(season)(), await sync_to_async(PlayerFactory.create)()
    token = (await sync_to_async(tokens.issue)(player)).token
    async with (
        await connected(a, token, campaign) as connection,
        await EPHEMERAL[name]((player, campaign), a, connection),
    ):
        check(await pushed(connection, name), name)


def test_control_a_wrong_payload_is_found() -> None:
    right = {"event": "gift.sent", "seq": 1, "at": "2026-01-01T00:00:00Z", "campaign": None,
             "data": {"trade": "t", "to": "p", "gives": ["harmony"], "hand_version": 1}}  # fmt: skip
    assert faults(right, payload_of("gift.sent")) == []
    for wrong in (
        right | {"seq": 0},
        right | {"event": "gift.received"},
        right | {"data": right["data"] | {"gives": "harmony"}},  # type: ignore[operator]
        right | {"data": {}},
        {name: value for name, value in right.items() if name != "at"},
    ):
        assert faults(wrong, payload_of("gift.sent"))
    assert unmentioned(right | {"more": 1}, _payload("gift.sent")) == {"more"}
    spoken = right["data"] | {"note": "secret"}  # type: ignore[operator]
    assert unmentioned(right | {"data": spoken}, _payload("gift.sent")) == {"data.note"}
