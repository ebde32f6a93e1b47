"""Access tokens: who a request or a socket comes from, for 15 minutes. Signed, so that no table is asked.

A token is a JWT (RFC 7519) with HMAC-SHA256 and nothing else; `kid` names its key in settings.ACCESS_TOKEN_KEYS, of
which the first signs and all verify. It names the player (`sub`) and the session (`sid`, the refresh family) by their
public ids only. The id inside, and whether player and session are still good, come from the database and are remembered
for 2 s: who is shut out or has signed out is out that soon.

Tokens expire by the database's clock, so a host with a wrong one neither shuts players out nor lets old tokens in.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import jwt
from django.conf import settings

from accounts import errors
from accounts.models import Player, RefreshFamily
from fortunes import clock, secretkeys

ALGORITHM = "HS256"
LONGEST = 1024
REMEMBER_S = 2.0
REMEMBER_AT_MOST = 50_000

_known: dict[tuple[UUID, UUID | None], tuple[float, int]] = {}


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a valid token belongs to. The API's `request.user` is one, so it has what REST framework asks a user for."""

    player_id: int
    public_id: UUID
    expires_at: datetime
    session: UUID | None = None

    is_authenticated: ClassVar[bool] = True
    is_active: ClassVar[bool] = True

    @property
    def pk(self) -> int:
        return self.player_id


class Access(NamedTuple):
    token: str
    expires_at: datetime


def issue(player: Player, session: UUID | None = None) -> Access:
    """A new access token for a player, which ends with the session. Without one it lives to its end: for scripts."""
    key_id, key = secretkeys.current(settings.ACCESS_TOKEN_KEYS)
    lifetime = timedelta(seconds=settings.ACCESS_TOKEN_LIFETIME_S)
    expires_at = (clock.estimate() + lifetime).replace(microsecond=0)
    claims = {"sub": str(player.public_id), "exp": int(expires_at.timestamp())}
    if session is not None:
        claims["sid"] = str(session)
    return Access(jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": key_id}), expires_at)


def player_of(token: str) -> Identity:
    """Whom a token belongs to; one query at most. Raises TokenInvalid or TokenExpired."""
    claims = _verified(token)
    expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    if expires_at <= clock.estimate():
        raise errors.TokenExpired
    public_id, session = UUID(claims["sub"]), UUID(claims["sid"]) if "sid" in claims else None
    return Identity(_active_player_id(public_id, session), public_id, expires_at, session)


def _verified(token: str) -> dict[str, Any]:
    """The claims of a token with a good signature. Its expiry is not judged: the library would by the host's clock."""
    if len(token) > LONGEST:
        raise errors.TokenInvalid
    try:
        key = settings.ACCESS_TOKEN_KEYS[jwt.get_unverified_header(token)["kid"]]
        # One algorithm and no choice: a header can't talk us into `none` or into a public key as an HMAC secret.
        claims = jwt.decode(
            token, key, algorithms=[ALGORITHM], options={"require": ["sub", "exp"], "verify_exp": False}
        )
    except (jwt.InvalidTokenError, KeyError) as error:
        raise errors.TokenInvalid from error
    return claims


def _active_player_id(public_id: UUID, session: UUID | None) -> int:
    known = _known.get((public_id, session))
    if known and time.monotonic() - known[0] < REMEMBER_S:
        return known[1]
    asked = time.monotonic()
    player_id = _read(public_id, session)
    if player_id is None:
        raise errors.TokenInvalid
    if len(_known) >= REMEMBER_AT_MOST:
        _known.clear()
    # From before the question, so that a slow answer doesn't make what it says younger than it is.
    _known[public_id, session] = (asked, player_id)
    return player_id


def _read(public_id: UUID, session: UUID | None) -> int | None:
    if session is None:
        return Player.objects.filter(public_id=public_id, is_active=True).values_list("pk", flat=True).first()
    good = RefreshFamily.objects.filter(
        public_id=session, revoked_at=None, player__public_id=public_id, player__is_active=True
    )
    return good.values_list("player_id", flat=True).first()
