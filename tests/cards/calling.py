"""Requests of players, as an app sends them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

from django.test import Client

from accounts import tokens
from accounts.models import Player


def get(player: Player | None, path: str, **headers: str) -> Any:
    return _client(player, headers).get(f"/api/v1/{path}")


def post(player: Player | None, path: str, body: Any = None, *, key: str | None = None, **headers: str) -> Any:
    """Under a fresh key, unless one is given; the empty one is none."""
    given = secrets.token_hex(8) if key is None else key
    client = _client(player, headers | ({"Idempotency-Key": given} if given else {}))
    data = body if isinstance(body, bytes) else json.dumps({} if body is None else body, default=str).encode()
    return client.post(f"/api/v1/{path}", data=data, content_type="application/json")


def pages(player: Player, path: str) -> Iterator[dict[str, Any]]:
    """Every page of a list."""
    address: str | None = path
    while address:
        page = get(player, address.removeprefix("http://testserver").removeprefix("/api/v1/")).json()
        yield page
        address = page["next"]


def items(player: Player, path: str) -> list[Any]:
    return [item for page in pages(player, path) for item in page["items"]]


def problem(response: Any) -> tuple[int, str]:
    """The status and the code of a refusal."""
    assert response["Content-Type"] == "application/problem+json", response.content
    body = response.json()
    assert body["status"] == response.status_code
    assert body["type"] == f"/api/v1/problems/{body['code']}"
    return response.status_code, body["code"]


def pointers(response: Any) -> dict[str, str]:
    """Pointer and code of each fault of an invalid request."""
    assert problem(response) == (400, "invalid-request")
    return {error["pointer"]: error["code"] for error in response.json()["errors"]}


def _client(player: Player | None, headers: dict[str, str]) -> Client:
    signed = {} if player is None else {"Authorization": f"Bearer {tokens.issue(player).token}"}
    return Client(raise_request_exception=False, headers=signed | headers)
