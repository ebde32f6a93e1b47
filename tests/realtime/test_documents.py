"""The documents say what is spoken, and what is spoken is as the documents say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from django.conf import settings
from django.db import transaction

from config import socket
from config.client.sockets import dial
from config.sockets import asyncapi, entrance
from config.sockets.frames import Close
from fortunes import events, threads
from fortunes.actions import feeds
from tests.realtime.people import Person
from tests.realtime.protocol import PROTOCOL, conforms, payload_of

PAGE = (settings.BASE_DIR / "docs" / "realtime.md").read_text(encoding="utf-8")


def table(title: str) -> Iterator[list[str]]:
    """The rows of the table below a heading of docs/realtime.md."""
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and not line.startswith("|---"):
            yield cells


def words(cell: str) -> list[str]:
    return re.findall(r"`([a-z_.]+)`", cell)


def test_the_page_lists_every_event_with_its_fields() -> None:
    written = {words(row[0])[0]: words(row[2]) for row in list(table("Events"))[1:]}
    assert written == {name: list(struct.__struct_fields__) for name, struct in events.TYPES.items()}


def test_the_page_lists_every_ephemeral_frame_with_its_fields() -> None:
    written = {words(row[0])[0]: words(row[2]) for row in list(table("Ephemeral frames"))[1:]}
    assert written == {name: list(struct.__struct_fields__) for name, struct in asyncapi.EPHEMERAL.items()}


def test_the_page_names_who_hears_an_event() -> None:
    for row in list(table("Events"))[1:]:
        assert (row[1] == "broadcast") == words(row[0])[0].startswith(asyncapi.BROADCASTS)


def test_the_page_lists_every_command() -> None:
    written = [words(row[0])[0] for row in list(table("Commands"))[1:]]
    by_the_socket = ["connect", "ping", "token.refresh", "presence.watch", "tally.watch", "tally.unwatch"]
    assert written == [*by_the_socket, *socket.COMMANDS]


def test_the_page_lists_every_close_code() -> None:
    written = {int(row[0]) for row in list(table("Close codes"))[1:]}
    # The server itself says 1012 when it ends.
    assert written == {int(code) for code in Close} | {1012}


@pytest.mark.parametrize("name", sorted(events.TYPES))
def test_every_event_has_a_schema_that_its_payload_survives(name: str) -> None:
    struct = events.TYPES[name]
    assert struct.__doc__
    payload = example(struct)
    stored = msgspec.to_builtins(payload)
    assert conforms(stored, f"components/schemas/{struct.__name__}")
    assert msgspec.convert(stored, struct) == payload
    assert set(PROTOCOL["components"]["schemas"][struct.__name__]["required"]) == set(struct.__struct_fields__)


def example(struct: type[msgspec.Struct]) -> msgspec.Struct:
    """A payload with plausible values."""
    values: dict[str, Any] = {
        "str": "harmony",
        "str | None": "harmony",
        "int": 7,
        "int | None": 7,
        "bool": True,
        "list[str]": ["harmony"],
        "UUID": uuid4(),
    }
    return struct(**{field.name: values[type_name(field.type)] for field in msgspec.structs.fields(struct)})


def type_name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) and annotation is not list else str(annotation)


def tell(person: Person) -> int:
    """One of every event type that comes without rows which the invariants would miss; how many."""

    def examples(*names: str) -> list[msgspec.Struct]:
        return [example(struct) for name, struct in events.TYPES.items() if name.startswith(names)]

    own, broadcasts = examples("friendship."), examples("campaign.", "rule")
    with transaction.atomic():
        events.append(campaign_id=person.season.pk, entries=[(person.row.pk, payload) for payload in own])
        for payload in broadcasts:
            events.broadcast(campaign_id=person.season.pk, payload=payload)
    return len(own) + len(broadcasts)


@pytest.mark.committed
async def test_frames_conform_to_the_protocol(alice: Person, bob: Person) -> None:
    connection = await dial(bob.home.url)
    data = {"token": bob.token, "campaign": bob.season.slug}
    await connection.send(json.dumps({"id": 1, "op": "connect", "data": data}))
    welcome = json.loads(await connection.recv())
    await alice.post_gift(bob)
    told = await threads.run(tell, bob)
    pushes = [json.loads(await connection.recv()) for _ in range(1 + told)]
    answers = {}
    for op, sent in (("ping", {}), ("token.refresh", {"token": bob.token}), ("trade.gift", {"key": "k"})):
        await connection.send(json.dumps({"id": 2, "op": op, "data": sent}))
        answers[op] = json.loads(await connection.recv())
    await connection.close()

    assert conforms(welcome, payload_of("connect.result"))
    assert conforms(answers["ping"], payload_of("ping.result"))
    assert conforms(answers["token.refresh"], payload_of("token.refresh.result"))
    assert conforms(answers["trade.gift"], payload_of("error"))
    assert {push["event"] for push in pushes} >= {
        "gift.received", "campaign.frozen", "friendship.asked", "rulebook.changed",
    }  # fmt: skip
    for push in pushes:
        assert conforms(push, payload_of(push["event"]))


def test_the_structs_of_answers_are_in_the_protocol() -> None:
    for struct in (entrance.Welcome, entrance.Pong, entrance.Renewed):
        assert struct.__name__ in PROTOCOL["components"]["schemas"]
    assert feeds.Notice.__struct_fields__ == ("event", "seq", "at", "campaign", "data")
