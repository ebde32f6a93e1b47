"""What is somebody else's looks like what doesn't exist: same status, same body, same number of queries.

Generated from the schema: a route with anything but the season's catalogue in its path is about somebody's own.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.api.calls import EXAMPLES
from tests.api.operations import Call, Operation, content, operations, send
from tests.api.world import World

# What is in their path anybody may name: a player, or a link that a player spreads.
ABOUT_ANYBODY = {
    *("blocks_create", "blocks_delete"), *("invitations_read", "invitations_accept"), *("links_read", "links_accept"),
}  # fmt: skip
ROUTES = sorted(operation.id for operation in operations().values() if operation.objects)


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]
    statements: list[str]


def answer(operation: Operation, call: Call, token: str) -> Answer:
    before = transaction.savepoint()
    with CaptureQueriesContext(connection) as captured:
        response = send(operation, call, token)
    transaction.savepoint_rollback(before)
    # Without the values, and without the numbers of savepoints.
    statements = [re.sub(r"'[^']*'|\b\d+\b|\bs\d+_x\d+\b", "?", query["sql"]) for query in captured]
    return Answer(response.status_code, content(response), dict(response.items()), statements)


def test_there_are_such_routes() -> None:
    assert {"trades_read", "friendships_delete", "friendships_accept"} <= set(ROUTES)


@pytest.mark.parametrize("role", ["other", "friend", "blocked", "staff"])
@pytest.mark.parametrize("route", sorted(set(ROUTES) - ABOUT_ANYBODY))
def test_as_if_it_did_not_exist(world: World, route: str, role: str) -> None:
    operation, call, token = operations()[route], EXAMPLES[route](world), world.token(getattr(world, role))
    unknown = call.unknown(operation.objects)
    # The first request of a process asks for what it remembers from then on.
    answer(operation, unknown, token)
    theirs, nobodys = answer(operation, call, token), answer(operation, unknown, token)
    assert theirs.status == 404
    assert theirs == _named(nobodys, call, unknown)


def _named(given: Answer, call: Call, unknown: Call) -> Answer:
    """An answer may repeat the address that it was asked for, and nothing else."""
    body = given.body
    for name, value in unknown.path.items():
        body = body.replace(str(value).encode(), str(call.path[name]).encode())
    return given._replace(body=body)


@pytest.mark.parametrize("route", sorted(set(ROUTES) & ABOUT_ANYBODY))
def test_the_unknown_is_not_found(world: World, route: str) -> None:
    operation, call = operations()[route], EXAMPLES[route](world)
    assert answer(operation, call.unknown(operation.objects), world.token(world.other)).status == 404
