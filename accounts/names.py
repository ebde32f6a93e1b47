"""What players are called: usernames, which identify them, and nicknames, which are theirs to choose. Pure."""

from __future__ import annotations

import re
import unicodedata

from fortunes import wording

USERNAME_PATTERN = r"^[a-z0-9_.-]{3,30}$"
NICKNAME_LENGTH = 24

_USERNAME = re.compile(USERNAME_PATTERN.replace("$", r"\Z"))


def normalise_username(typed: str) -> str:
    """The one spelling of a username: lower case, and full-width letters as their ASCII twins."""
    return unicodedata.normalize("NFKC", typed).strip().lower()


def is_username(normalised: str) -> bool:
    return _USERNAME.match(normalised) is not None


def normalise_nickname(typed: str) -> str:
    return unicodedata.normalize("NFC", typed).strip()


def is_nickname(normalised: str) -> bool:
    """Any script, up to 24 code points; nothing that moves the cursor or turns the line around. May be empty."""
    return len(normalised) <= NICKNAME_LENGTH and wording.is_one_line(normalised)
