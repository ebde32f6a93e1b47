"""Refresh families: a sign-in's chain of refresh tokens, of which only the newest is good and each is used once.

A token is `<family>.<secret>`, both random; the database keeps the SHA-256 of the newest secret. An old one that comes
back means that two hold the chain, the player and a thief, and nobody can say which: the family is revoked and the
player signs in again. (So does a client whose answer was lost and who tries the old one again.)
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from enum import Enum
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.expressions import CombinedExpression

from accounts.models import Player, RefreshFamily
from fortunes.models import DatabaseNow


class Trouble(Enum):
    """Why a refresh token is no good."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REUSED = "reused"


def id_of(token: str) -> UUID:
    """The family of one of its tokens, as access tokens and lists of sessions name it."""
    return UUID(hex=token.partition(".")[0])


def alive() -> QuerySet[RefreshFamily]:
    """Those that were neither ended nor have expired."""
    return RefreshFamily.objects.filter(revoked_at=None, expires_at__gt=DatabaseNow())


def end(families: QuerySet[RefreshFamily]) -> int:
    """Sign out: no token of theirs is good any more. How many were."""
    return families.filter(revoked_at=None).update(revoked_at=DatabaseNow())


def start(player: Player) -> str:
    """A new family's first token."""
    secret = secrets.token_urlsafe(32)
    family = RefreshFamily.objects.create(player=player, token_hash=_hash(secret), expires_at=_expiry())
    return _token(family.public_id, secret)


def rotate(token: str) -> tuple[Player, str] | Trouble:
    """Spend a token: its player and the family's next token.

    Revokes the family on reuse, so the caller must commit what it did even when it returns trouble.
    """
    public_id, secret = _parse(token)
    if public_id is None:
        return Trouble.UNKNOWN
    good = RefreshFamily.objects.filter(public_id=public_id, revoked_at=None)
    following = secrets.token_urlsafe(32)
    # Compare and swap in one UPDATE of one table: of two who spend the same token the second waits, looks at the row
    # again and changes nothing. With a join to the player the hash would be compared in the old snapshot.
    swapped = good.filter(token_hash=_hash(secret), expires_at__gt=DatabaseNow()).update(
        token_hash=_hash(following), refreshed_at=DatabaseNow(), expires_at=_expiry()
    )
    if swapped:
        player = RefreshFamily.objects.select_related("player").get(public_id=public_id).player
        if player.is_active:
            return player, _token(public_id, following)
        good.update(revoked_at=DatabaseNow())
        return Trouble.UNKNOWN
    if good.filter(expires_at__lte=DatabaseNow()).exists():
        return Trouble.EXPIRED
    return Trouble.REUSED if good.update(revoked_at=DatabaseNow()) else Trouble.UNKNOWN


def _parse(token: str) -> tuple[UUID | None, str]:
    family, _, secret = token.partition(".")
    try:
        return UUID(hex=family), secret
    except ValueError:
        return None, ""


def _token(public_id: UUID, secret: str) -> str:
    return f"{public_id.hex}.{secret}"


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _expiry() -> CombinedExpression:
    """From the last use on."""
    return DatabaseNow() + timedelta(seconds=settings.REFRESH_LIFETIME_S)
