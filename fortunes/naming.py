"""What people type to name a player or a row: a username, a public id or a number, whole."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Q

MAX_ID = 2**63 - 1


def number(word: str) -> int | None:
    """The number that a word is, if a row can have it."""
    # Python refuses to read thousands of digits.
    short = word.isascii() and word.isdigit() and len(word) < 20
    return int(word) if short and int(word) <= MAX_ID else None


def public_id(word: str) -> UUID | None:
    """The public id that a word is."""
    try:
        return UUID(word)
    except ValueError:
        return None


def players(word: str) -> list[int]:
    """The ids of the players whom a word names exactly: by username, public id or number."""
    model = get_user_model()
    named = Q(**{model.USERNAME_FIELD: model.normalize_username(word)})
    if (pk := number(word)) is not None:
        named |= Q(pk=pk)
    if (known := public_id(word)) is not None:
        named |= Q(public_id=known)
    return list(model._default_manager.filter(named).values_list("pk", flat=True))
