"""Codes and channels of the links that players spread for a trade. Pure.

Codes are spelt like those of invitations, and like them too many to be guessed.
"""

from __future__ import annotations

from accounts import invitations

CODE_LENGTH = invitations.LENGTH
# Where a link is spread. Who spreads it for a company has a name of their own.
CHANNEL_PATTERN = r"^(?:wechat|weibo|qr|kol:[a-z0-9_-]{1,28})\Z"


def fresh_code() -> str:
    return invitations.fresh_code()


def normalise_code(typed: str) -> str:
    """As we spell it; the empty string if it can't be a code of ours."""
    return invitations.normalise_code(typed)
