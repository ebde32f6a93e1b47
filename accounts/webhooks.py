"""What a host app's push service gets: news of one of its users, signed with a key of that app's own.

It knows nothing of the database. docs/push.md is written for those who build the receiving end.
"""

from __future__ import annotations

import asyncio
import hmac
import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from http import HTTPStatus
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import msgspec
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts import federation, posting
from fortunes import threads

TIMEOUT_S = 10.0
# What a host may ask for with Retry-After.
LONGEST_WAIT_S = 600
PURPOSE = b"push\0"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One event, as the socket and REST tell it. `data` has ids, slugs, enums and numbers only."""

    event: str
    seq: int
    at: str
    campaign: str | None
    data: dict[str, Any]


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What a user of the host app was away for. `id` stays the same however often it is sent.

    `user` is who they are in that app, `player` who they are here. `counts` counts events by type, and `events` are the
    newest of them, oldest first.
    """

    id: UUID
    app: str
    user: str
    player: UUID
    seq: int
    counts: dict[str, int]
    events: list[Item]


class Host(NamedTuple):
    """A host app with a push service."""

    slug: str
    url: str
    key_id: str
    key: bytes


class Outgoing(NamedTuple):
    """A delivery that is on its way."""

    host: Host
    id: UUID
    body: bytes


class Outcome(NamedTuple):
    """What became of a delivery: `taken`; `gone`, when the host says that this user has no device; or why neither."""

    taken: bool = False
    gone: bool = False
    reason: str = ""
    retry_after_s: int = 0


def hosts() -> dict[str, Host]:
    """The host apps that have a push service, by slug. Raises ImproperlyConfigured where the keys are missing."""
    urls = federation.push_urls()
    if urls and not settings.PUSH_KEYS:
        raise ImproperlyConfigured("workers need the push_keys in their secrets file")
    return {slug: Host(slug, url, *keys_of(slug)[0]) for slug, url in urls.items()}


def keys_of(slug: str) -> list[tuple[str, bytes]]:
    """A host app's keys with their ids, the one that signs first. They are its own: it can't forge news for another."""
    ring: Mapping[str, bytes] = settings.PUSH_KEYS
    return [(key_id, hmac.digest(key, PURPOSE + slug.encode(), "sha256")) for key_id, key in ring.items()]


def signs(host: Host, body: bytes, *, at: datetime) -> str:
    return posting.signature(body, key_id=host.key_id, key=host.key, at=at)


def send(deliveries: Sequence[Outgoing], *, at: datetime) -> list[Outcome]:
    """What became of each, in 10 s and a little: all of them leave at once."""
    return threads.run_loop(_send_all(deliveries, at))


async def _send_all(deliveries: Sequence[Outgoing], at: datetime) -> list[Outcome]:
    async with httpx.AsyncClient(timeout=TIMEOUT_S, verify=_trust(), limits=httpx.Limits()) as client:
        return await asyncio.gather(*(_send_one(client, delivery, at) for delivery in deliveries))


async def _send_one(client: httpx.AsyncClient, delivery: Outgoing, at: datetime) -> Outcome:
    headers = {"Idempotency-Key": str(delivery.id), "Fortunes-Signature": signs(delivery.host, delivery.body, at=at)}
    try:
        answer = await posting.post(client, delivery.host.url, delivery.body, headers, within_s=TIMEOUT_S)
    except posting.Unreachable as error:
        return Outcome(reason=f"the push service can't be reached: {error}")
    reason = f"the push service answered {answer.status}"
    if answer.status == HTTPStatus.GONE:
        return Outcome(gone=True, reason=reason)
    if 200 <= answer.status < 300:
        return Outcome(taken=True)
    return Outcome(reason=reason, retry_after_s=min(answer.retry_after_s, LONGEST_WAIT_S))


@cache
def _trust() -> ssl.SSLContext:
    """Made once: it reads all the certificates of this machine."""
    return httpx.create_ssl_context()
