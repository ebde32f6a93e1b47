"""One-time codes: how they are made, kept and limited. Only a keyed hash is stored, bound to the number it was for.

There are a million codes. One can be tried five times, and ten a day are sent to a number: 50 guesses a day.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata

from django.conf import settings

from fortunes import secretkeys

DIGITS = 6
LIFE_S = 5 * 60
PAUSE_S = 60
DAY_S = 24 * 3600
MOST_A_DAY = 10
MOST_TRIES = 5


def new() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


def hashed(code: str, number_hash: bytes) -> tuple[str, bytes]:
    """(key id, hash) under the current key."""
    key_id, key = secretkeys.current(settings.SIGN_IN_KEYS)
    return key_id, _hash(key, code, number_hash)


def is_right(typed: str, number_hash: bytes, *, key_id: str, code_hash: bytes) -> bool:
    """Whether this is the code; in the same time whatever was typed."""
    key = settings.SIGN_IN_KEYS.get(key_id)
    plain = "".join(unicodedata.normalize("NFKC", typed).split())
    return key is not None and hmac.compare_digest(_hash(key, plain, number_hash), code_hash)


def _hash(key: bytes, code: str, number_hash: bytes) -> bytes:
    return hmac.digest(key, b"code\0" + number_hash + code.encode(errors="replace"), "sha256")
