"""Idempotency keys: a write that was done once is answered from its stored result ever after (48 hours).

An action that moves a card, a vote or money takes a `Request`, calls `claim` inside its transaction right after the
gate, and `keep` with its result at the end. Refusals are not stored: the claim is rolled back with the rest, and a
retry is judged afresh.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from django.db import OperationalError
from psycopg.errors import LockNotAvailable, QueryCanceled

from fortunes import errors, sql

T = TypeVar("T", bound=msgspec.Struct)

PATTERN = re.compile(r"[!-~]{1,64}")


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, for what, under which key, and the SHA-256 of what exactly was asked."""

    player_id: int
    route: str
    key: str
    body_hash: bytes


def request(*, player_id: int, route: str, key: str | None, body: Any) -> Request:
    """A Request from a client's key and its validated body. Raises IdempotencyKeyMissing or IdempotencyKeyInvalid."""
    if not key:
        raise errors.IdempotencyKeyMissing
    if not PATTERN.fullmatch(key):
        raise errors.IdempotencyKeyInvalid
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), default=str)
    return Request(player_id, route, key, hashlib.sha256(f"{route}\n{canonical}".encode()).digest())


def within(asked: Request, *, campaign_id: int) -> dict[str, Any]:
    """A key as the hot verbs are told of it: unique within a campaign, whose hands are the lock under which it is
    looked up."""
    return {"route": f"{asked.route}:{campaign_id}", "key": asked.key, "body_hash": asked.body_hash}


def claim(asked: Request, result_type: type[T]) -> T | None:
    """None if this is the first time; otherwise the stored result of the first.

    A concurrent duplicate waits here, on the unique constraint, until the first commits or rolls back. Raises
    IdempotencyKeyReused, or StillInProgress if it waited too long.
    """
    try:
        inserted = sql.execute(sql.text("fortunes", "claim_key"), _params(asked))
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable | QueryCanceled):
            raise errors.StillInProgress(retry_after_s=1) from error
        raise
    if inserted:
        return None
    row = sql.fetch(sql.text("fortunes", "read_key"), _params(asked))[0]
    if bytes(row.body_hash) != asked.body_hash:
        raise errors.IdempotencyKeyReused
    return msgspec.json.decode(row.result, type=result_type)


def keep(asked: Request, result: msgspec.Struct) -> None:
    """Store the result beside the claimed key, in the same transaction as the effect."""
    # As text: jsonb would reorder the members, and a replay has the bytes of the first answer.
    stored = msgspec.json.encode(result).decode()
    if sql.execute(sql.text("fortunes", "keep_result"), {**_params(asked), "result": stored}) != 1:
        raise RuntimeError("a result was kept for a key that was not claimed")


def _params(asked: Request) -> dict[str, Any]:
    return {"player": asked.player_id, "route": asked.route, "key": asked.key, "body_hash": asked.body_hash}
