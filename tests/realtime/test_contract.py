"""The client speaks what the documents describe: each operation, command, answer and push, field by field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
import yaml

from config import documents
from config.client import operations, pushes, shapes, sockets, votes
from config.client.operations import Operation
from config.sockets import asyncapi
from fortunes import events
from tests.realtime.protocol import PROTOCOL

Schema = Mapping[str, Any]
OPERATIONS: dict[str, Operation[Any]] = {
    name: value for name, value in vars(operations).items() if isinstance(value, Operation)
}
COMMANDS = {name: operation for name, operation in OPERATIONS.items() if operation.op}
# What is told in answer to a command that is no operation of REST.
RESULTS: dict[str, type] = {
    "connect": sockets.Welcome,
    "ping": sockets.Pong,
    "token.refresh": sockets.Renewed,
    "presence.watch": shapes.Presence,
    "tally.watch": votes.Tally,
    "tally.unwatch": votes.Unwatched,
}


@pytest.fixture(scope="module")
def openapi() -> Any:
    return yaml.safe_load(documents.DOCUMENTS["docs/openapi.yaml"]())


def documented(openapi: Any, operation: Operation[Any]) -> Any:
    """The operation in the document; what its parameters are called is the document's affair."""

    def nameless(path: str) -> str:
        return re.sub(r"\{\w+\}", "{}", path)

    wanted = nameless(f"/api/v1/{operation.path}")
    (found,) = (methods for path, methods in openapi["paths"].items() if nameless(path) == wanted)
    return found[operation.method.lower()]


def misfits(client: Schema, server: Schema, ours: Any, theirs: Any, where: str = "") -> Iterator[str]:
    """What the server may say, by its document, and the client doesn't take."""
    for said in alternatives(server, theirs):
        heard = [taken for taken in alternatives(client, ours) if not taken or kind(taken) == kind(said)]
        if not heard:
            yield f"{where}: {kind(said)} is not taken"
        elif heard[0].get("properties"):
            yield from _members(heard[0], said, ours, theirs, where)
        elif kind(said) == "array":
            yield from misfits(heard[0].get("items", {}), said["items"], ours, theirs, f"{where}[]")


def _members(taken: Schema, said: Schema, ours: Any, theirs: Any, where: str) -> Iterator[str]:
    for name in taken["required"]:
        if name not in said.get("required", ()):
            yield f"{where}.{name}: is not always there"
        else:
            yield from misfits(taken["properties"][name], said["properties"][name], ours, theirs, f"{where}.{name}")


def alternatives(schema: Schema, whole: Any) -> list[Schema]:
    """The schema's choices, each with one type."""
    if "$ref" in schema:
        found = whole
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return alternatives(found, whole)
    if choices := schema.get("anyOf") or ("type" not in schema and schema.get("oneOf")):
        return [found for choice in choices for found in alternatives(choice, whole)]
    if len(parts := schema.get("allOf", ())) == 1:
        return alternatives(parts[0], whole)
    if isinstance(schema.get("type"), list):
        return [{**schema, "type": name} for name in schema["type"]]
    return [schema]


def kind(schema: Schema) -> str:
    return str(schema.get("type", "string" if "enum" in schema or "const" in schema else "anything"))


def misheard(answer: type, server: Schema, theirs: Any) -> list[str]:
    (schema,), components = msgspec.json.schema_components([answer], ref_template="#/components/{name}")
    return list(misfits(schema, server, {"components": components}, theirs))


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_of_rest(name: str, openapi: Any) -> None:
    operation = OPERATIONS[name]
    there = documented(openapi, operation)
    keys = [parameter for parameter in there.get("parameters", ()) if parameter["name"] == "Idempotency-Key"]
    assert operation.key == (bool(keys) and keys[0]["required"])
    if operation.method == "GET":
        known = {parameter["name"] for parameter in there.get("parameters", ()) if parameter["in"] == "query"}
        assert set(operation.fields) <= known
    else:
        assert set(operation.fields) | set(operation.fixed) <= accepted(there, operation, openapi)
    check_answer(operation, there, openapi)


def accepted(there: Any, operation: Operation[Any], openapi: Any) -> set[str]:
    """The members of the body; of several that it may be, of the one that says it is this act."""
    content = there.get("requestBody", {}).get("content", {}).get("application/json", {})
    for body in alternatives(content.get("schema", {}), openapi):
        members = body.get("properties", {})
        if all(word in str(alternatives(members[name], openapi)) for name, word in operation.fixed.items()):
            return set(members)
    return set()


def check_answer(operation: Operation[Any], there: Any, openapi: Any) -> None:
    for status, response in there["responses"].items():
        if not status.startswith("2"):
            continue
        content = response.get("content", {})
        if operation.answer is type(None):
            assert not content
        else:
            assert misheard(operation.answer, content["application/json"]["schema"], openapi) == []


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_an_operation_that_is_a_command_too(name: str) -> None:
    operation = COMMANDS[name]
    messages = PROTOCOL["components"]["messages"]
    data = messages[operation.op]["payload"]["properties"]["data"]["properties"]
    # The socket has its campaign, and the op says which of several acts it is.
    said = {*operation.fields, *operation.in_path, "key"} - {"campaign"}
    assert said == set(data)
    result = messages[f"{operation.op}.result"]["payload"]["properties"]["result"]
    assert misheard(operation.answer, result, PROTOCOL) == []


@pytest.mark.parametrize("op", sorted(RESULTS))
def test_a_command_of_the_socket_alone(op: str) -> None:
    result = PROTOCOL["components"]["messages"][f"{op}.result"]["payload"]["properties"]["result"]
    assert misheard(RESULTS[op], result, PROTOCOL) == []


def test_the_client_has_every_command() -> None:
    asked = {message["$ref"].rpartition("/")[2] for message in PROTOCOL["operations"]["ask"]["messages"]}
    assert {operation.op for operation in COMMANDS.values()} | RESULTS.keys() == asked


def test_the_client_knows_every_push() -> None:
    assert sorted(pushes.TYPES) == sorted({**events.TYPES, **asyncapi.EPHEMERAL})


@pytest.mark.parametrize("name", sorted(pushes.TYPES))
def test_a_push(name: str) -> None:
    payload = PROTOCOL["components"]["messages"][name]["payload"]
    assert misheard(pushes.Push, payload, PROTOCOL) == []
    assert misheard(pushes.TYPES[name], payload["properties"]["data"], PROTOCOL) == []


class Wrong(shapes.Shape, frozen=True, kw_only=True):
    """A pong with a member that nobody says, and a number that is a text."""

    seq: str
    nothing: int


def test_control_a_shape_that_the_server_does_not_keep_is_found() -> None:
    result = PROTOCOL["components"]["messages"]["ping.result"]["payload"]["properties"]["result"]
    assert misheard(Wrong, result, PROTOCOL) == [".seq: integer is not taken", ".nothing: is not always there"]
    assert misheard(list[sockets.Pong], result, PROTOCOL) == [": object is not taken"]
