"""Posting to services of the operator's choice, signed: addresses come from the configuration and from nowhere else."""

from __future__ import annotations

import asyncio
import hmac
from datetime import datetime
from typing import NamedTuple

import httpx


class Unreachable(Exception):
    """There was no answer, as far as one knows; the text is the kind of trouble."""


class Answer(NamedTuple):
    """How a service answered; what else it says isn't read."""

    status: int
    retry_after_s: int


async def post(client: httpx.AsyncClient, url: str, body: bytes, headers: dict[str, str], *, within_s: float) -> Answer:
    """The answer to a POST of JSON; redirects are answers too. Raises Unreachable."""
    headers = {"Content-Type": "application/json", **headers}
    try:
        # One limit for all of it: those of the library begin anew with every byte that drips in.
        async with asyncio.timeout(within_s), client.stream("POST", url, content=body, headers=headers) as answer:
            told = answer.headers.get("Retry-After", "")
            return Answer(answer.status_code, int(told) if told.isascii() and told.isdigit() and len(told) < 6 else 0)
    # An address that is none is no HTTPError, and must not take the deliveries to others with it.
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unreachable(type(error).__name__) from error


def signature(body: bytes, *, key_id: str, key: bytes, at: datetime) -> str:
    """The header `Fortunes-Signature`, which lets a service know that a body is ours, and fresh."""
    moment = int(at.timestamp())
    return f"t={moment},k={key_id},v={hmac.digest(key, f'{moment}.'.encode() + body, 'sha256').hex()}"
