"""What players are called: usernames, which identify them, and nicknames, which are theirs to choose. Pure."""

from __future__ import annotations

import re
import unicodedata

USERNAME_PATTERN = r"^[a-z0-9_.-]{3,30}$"
NICKNAME_LENGTH = 24

_USERNAME = re.compile(USERNAME_PATTERN.replace("$", r"\Z"))
# They turn around the text that follows, on other people's screens.
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def normalise_username(typed: str) -> str:
    """The one spelling of a username: lower case, and full-width letters as their ASCII twins."""
    return unicodedata.normalize("NFKC", typed).strip().lower()


def is_username(normalised: str) -> bool:
    return _USERNAME.match(normalised) is not None


def normalise_nickname(typed: str) -> str:
    return unicodedata.normalize("NFC", typed).strip()


def is_nickname(normalised: str) -> bool:
    """Any script, up to 24 code points; nothing that moves the cursor or turns the line around. May be empty."""
    return len(normalised) <= NICKNAME_LENGTH and is_one_line(normalised)


def is_one_line(text: str) -> bool:
    """Whether nothing in a text moves the cursor or turns the line around."""
    return not any(
        character in _BIDI_CONTROLS or unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text
    )
