"""The operations of the API's schema, and how to make a request of one."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from accounts.models import Player

# What these name in a path is everybody's: a campaign, a kind of card, a version of the rules, a proposal.
CATALOGUE = {"slug", "kind", "version", "proposal_id"}


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    id: str
    method: str
    path: str
    parameters: tuple[Mapping[str, Any], ...]

    @property
    def has_key(self) -> bool:
        return any(parameter["name"] == "Idempotency-Key" for parameter in self.parameters)

    @property
    def objects(self) -> list[str]:
        """The names in its path that are somebody's own."""
        return [name for name in self._in_path() if name not in CATALOGUE]

    def _in_path(self) -> Iterator[str]:
        return (parameter["name"] for parameter in self.parameters if parameter["in"] == "path")


@dataclass(frozen=True)
class Call:
    """What makes a request of an operation: the parts of its path, and its body. `by` is who may make it, if not me."""

    path: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    by: Player | None = None

    def unknown(self, names: list[str]) -> Call:
        """The same of objects that nobody has."""
        return replace(self, path={**self.path, **{name: _unlike(self.path[name]) for name in names}})


def _unlike(known: Any) -> str:
    """An id in the same form that nothing has."""
    return str(uuid4()) if len(str(known)) == 36 else secrets.token_urlsafe(len(str(known)))[: len(str(known))]


@cache
def operations() -> dict[str, Operation]:
    """All of them, by their id."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    found = (
        Operation(said["operationId"], method.upper(), path, tuple(said.get("parameters", ())))
        for path, methods in schema["paths"].items()
        for method, said in methods.items()
    )
    return {operation.id: operation for operation in found}


def send(operation: Operation, call: Call, token: str | None) -> HttpResponse:
    """The answer to one request; with a fresh Idempotency-Key where one is wanted."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    if operation.has_key:
        headers["Idempotency-Key"] = secrets.token_hex(8)
    body = b"" if call.body is None else json.dumps(call.body, default=str).encode()
    path = operation.path.format(**call.path)
    client = Client(headers=headers)
    return client.generic(operation.method, path, body, "application/json")  # type: ignore[return-value]


def content(response: HttpResponse) -> bytes:
    """The whole body, also of a file."""
    return b"".join(response)
