"""How text messages leave: what all ways have in common, and the two that there are.

They know nothing of the database. Failures tell a kind and a status, never the number or the text.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import IO, Protocol
from uuid import UUID

import httpx
import msgspec
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts import posting
from fortunes import secretkeys, threads

TIMEOUT_S = 10.0
AT_ONCE = 8
# Answers of a gateway that may be another one the next time.
PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


class Outgoing(msgspec.Struct, frozen=True):
    """A message as the gateway gets it. `id` stays the same however often it is sent."""

    id: UUID
    to: str
    text: str


class Failure(Exception):
    """A message that wasn't sent, as far as one knows. `final`: trying again won't help."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class Sender(Protocol):
    """A way in which messages leave. Every new one needs nothing but this."""

    async def send(self, message: Outgoing, *, at: datetime) -> None:
        """Returns when somebody has taken it over. Raises Failure."""


@dataclass(frozen=True, slots=True)
class Console:
    """Writes messages to standard error, for installations where the ones who sign in read it: a developer's.

    Past the logs, which leave phones and codes out (docs/operations.md).
    """

    out: IO[str] = field(default_factory=lambda: sys.__stderr__ or sys.stderr)

    async def send(self, message: Outgoing, *, at: datetime) -> None:
        print(f"text message to {message.to}: {message.text}", file=self.out, flush=True)


@dataclass(frozen=True, slots=True)
class Gateway:
    """Posts messages as JSON to the operator's address, signed with a key of settings.MESSAGE_KEYS.

    `Fortunes-Signature: t=<unix time>,k=<key id>,v=<hex of HMAC-SHA256 over "<t>.<body>">`, and the message's id as
    `Idempotency-Key`. Any 2xx means that the gateway has it; its answer's body isn't read.
    """

    url: str

    async def send(self, message: Outgoing, *, at: datetime) -> None:
        body = msgspec.json.encode(message)
        key_id, key = secretkeys.current(settings.MESSAGE_KEYS)
        signature = posting.signature(body, key_id=key_id, key=key, at=at)
        status = await self._post(body, {"Idempotency-Key": str(message.id), "Fortunes-Signature": signature})
        if not 200 <= status < 300:
            final = 400 <= status < 500 and status not in PASSING
            raise Failure(f"the gateway answered {status}", final=final)

    async def _post(self, body: bytes, headers: dict[str, str]) -> int:
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
                return (await posting.post(client, self.url, body, headers, within_s=TIMEOUT_S)).status
        except posting.Unreachable as error:
            raise Failure(f"the gateway can't be reached: {error}") from error


def chosen() -> Sender:
    """The sender of settings.SMS_SENDER."""
    if settings.SMS_SENDER != "gateway":
        return Console()
    if not settings.MESSAGE_KEYS:
        raise ImproperlyConfigured("workers need the message_keys in their secrets file")
    return Gateway(settings.SMS_GATEWAY_URL)


def send(sender: Sender, messages: Sequence[Outgoing], *, at: datetime) -> list[Failure | None]:
    """What became of each message: None is sent. A few leave at once, so that a slow gateway holds up little."""
    return threads.run_loop(_send_all(sender, messages, at))


async def _send_all(sender: Sender, messages: Sequence[Outgoing], at: datetime) -> list[Failure | None]:
    places = asyncio.Semaphore(AT_ONCE)

    async def send_one(message: Outgoing) -> Failure | None:
        async with places:
            try:
                await sender.send(message, at=at)
            except Failure as failure:
                return failure
            return None

    return await asyncio.gather(*(send_one(message) for message in messages))
