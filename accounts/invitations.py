"""Codes of invitation links: short enough to be typed, too many to be guessed."""

from __future__ import annotations

import secrets

# No vowels, so that no words come out, and nothing that looks like something else. 27¹² is about 2⁵⁷.
ALPHABET = "23456789bcdfghjkmnpqrstvwxz"
LENGTH = 12
CHANNEL_PATTERN = r"^[a-z0-9:_-]{1,32}\Z"


def fresh_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def normalise_code(typed: str) -> str:
    """As we spell it; the empty string if it can't be a code of ours."""
    code = typed.strip().lower()
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else ""
