"""Scan codes: what a QR picture says. Signed, bound to one campaign and source, expiring, used once. Pure.

A code is RFC 4648 base32 in upper case without padding, so that a QR code can use its alphanumeric mode:

    version 1 | key id length 1 | key id | campaign 4 | source 2 | batch 4 | expires 5 | nonce 10 | mac 16

The version is 2. Numbers are big-endian, `expires` is in Unix seconds, `mac` is the first half of HMAC-SHA256 over all
that precedes it. Codes are not stored when printed, only how many a batch has (`cards.CodeBatch`); the nonce is, once
used (`cards.Draw`). Version 1 had no batch, so that its codes could not be revoked: none was released, none is read.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

VERSION = 2
NONCE_BYTES = 10
MAC_BYTES = 16
MAX_CHARACTERS = 128
_FIXED_BYTES = 2 + 4 + 2 + 4 + 5 + NONCE_BYTES + MAC_BYTES


class CodeError(ValueError):
    """This is not a code that we made."""


@dataclass(frozen=True, slots=True)
class Code:
    """What a code says, without its signature."""

    campaign_id: int
    source: int
    batch: int
    expires_at: datetime
    nonce: bytes


def fresh(*, campaign_id: int, source: int, batch: int, expires_at: datetime) -> Code:
    """A code that nobody has: its nonce is random."""
    return Code(campaign_id, source, batch, expires_at, secrets.token_bytes(NONCE_BYTES))


def encode(code: Code, *, key_id: str, key: bytes) -> str:
    """The text of a code, signed with the key of that id."""
    name = key_id.encode("ascii")
    body = (
        bytes([VERSION, len(name)])
        + name
        + code.campaign_id.to_bytes(4)
        + code.source.to_bytes(2)
        + code.batch.to_bytes(4)
        + int(code.expires_at.timestamp()).to_bytes(5)
        + code.nonce
    )
    return base64.b32encode(body + _mac(key, body)).decode().rstrip("=")


def decode(text: str, *, keys: Mapping[str, bytes]) -> Code:
    """The code that `text` says, its signature verified. Expiry is the database's to judge. Raises CodeError."""
    raw = _unpack(text)
    name_end = 2 + raw[1]
    if raw[0] != VERSION or len(raw) != _FIXED_BYTES + raw[1]:
        raise CodeError("unknown version or wrong length")
    key = keys.get(raw[2:name_end].decode("ascii", "replace"))
    body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    if key is None or not hmac.compare_digest(mac, _mac(key, body)):
        raise CodeError("not signed by us")
    return Code(
        campaign_id=int.from_bytes(raw[name_end : name_end + 4]),
        source=int.from_bytes(raw[name_end + 4 : name_end + 6]),
        batch=int.from_bytes(raw[name_end + 6 : name_end + 10]),
        expires_at=datetime.fromtimestamp(int.from_bytes(raw[name_end + 10 : name_end + 15]), UTC),
        nonce=raw[name_end + 15 : name_end + 15 + NONCE_BYTES],
    )


def _unpack(text: str) -> bytes:
    if len(text) > MAX_CHARACTERS:
        raise CodeError("too long")
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError) as error:
        raise CodeError("not base32") from error
    if len(raw) < _FIXED_BYTES:
        raise CodeError("too short")
    if base64.b32encode(raw).decode().rstrip("=") != text:
        raise CodeError("not the canonical spelling")
    return raw


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, b"scan-code\0" + body, "sha256")[:MAC_BYTES]
