"""The nonces of draws without a code. Pure.

They are natural: made from what a draw is for, so that nobody chooses them, a draw is made once for each, and a
stranger can check them (docs/sources.md). Numbers are big-endian.
"""

from __future__ import annotations

import hashlib
from datetime import date


def check_in(*, player_id: int, day: date) -> bytes:
    """player 8 | local day 4, as the decimal number YYYYMMDD."""
    return player_id.to_bytes(8) + (day.year * 10_000 + day.month * 100 + day.day).to_bytes(4)


def invitation(*, invited_id: int) -> bytes:
    """The invited player's id, 8 bytes."""
    return invited_id.to_bytes(8)


def support(*, player_id: int, key: str) -> bytes:
    """The first half of SHA-256 over the player's id, 8 bytes, and the key of the grant."""
    return hashlib.sha256(player_id.to_bytes(8) + key.encode()).digest()[:16]
