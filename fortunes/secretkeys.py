"""Keys with ids, so that they can rotate: the first of a ring signs, all of it verifies.

The rings come from the environment or a secrets file (see config/settings.py) and never touch the database. What must
be committed to before it is used, a campaign's secret, is derived from a ring's key and the campaign's public id.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from uuid import UUID


def current(ring: Mapping[str, bytes]) -> tuple[str, bytes]:
    """(key id, key) that signs now: the first of the ring."""
    return next(iter(ring.items()))


def derive(key: bytes, purpose: str, campaign: UUID) -> bytes:
    """The 32-byte secret of one campaign for one purpose."""
    return hmac.digest(key, purpose.encode() + b"\0" + campaign.bytes, "sha256")


def commitment(secret: bytes) -> bytes:
    """What is published before the secret is used: its SHA-256."""
    return hashlib.sha256(secret).digest()
