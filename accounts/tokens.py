"""Access tokens: who a request or a socket comes from, for 15 minutes. Signed, so that no table is asked.

A token is a JWT (RFC 7519) with HMAC-SHA256 and nothing else; `kid` names its key in settings.ACCESS_TOKEN_KEYS, of
which the first signs and all verify. It names the player (`sub`) and the session (`sid`, the refresh family) by their
public ids only. The id inside, and whether player and session are still good, come from the database and are remembered
for 2 s: who is shut out or has signed out is out that soon.

Tokens expire by the database's clock, so a host with a wrong one neither shuts players out nor lets old tokens in.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import jwt
from django.conf import settings

from accounts import errors
from accounts.models import Player
from fortunes import clock, secretkeys, sql
from fortunes.errors import DomainError

ALGORITHM = "HS256"
LONGEST = 1024
REMEMBER_S = 2.0
REMEMBER_AT_MOST = 50_000

# A player's public id and a session's.
Who = tuple[UUID, UUID | None]

_known: dict[Who, tuple[float, int]] = {}


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
    (outcome,) = players_of([token])
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def players_of(given: Sequence[str]) -> list[Identity | DomainError]:
    """Whom each token belongs to, or TokenInvalid or TokenExpired; one query at most."""
    claimed = [_claimed(token) for token in given]
    ids = _active_player_ids({claim[:2] for claim in claimed if not isinstance(claim, DomainError)})
    return [claim if isinstance(claim, DomainError) else _identity(*claim, ids) for claim in claimed]


def _identity(
    public_id: UUID, session: UUID | None, expires_at: datetime, ids: Mapping[Who, int]
) -> Identity | DomainError:
    player_id = ids.get((public_id, session))
    return errors.TokenInvalid() if player_id is None else Identity(player_id, public_id, expires_at, session)


def _claimed(token: str) -> tuple[UUID, UUID | None, datetime] | DomainError:
    """Player, session and expiry that a good token names."""
    try:
        claims = _verified(token)
    except errors.TokenInvalid as refusal:
        return refusal
    expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    if expires_at <= clock.estimate():
        return errors.TokenExpired()
    return UUID(claims["sub"]), UUID(claims["sid"]) if "sid" in claims else None, expires_at


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


def _active_player_ids(asked: Collection[Who]) -> dict[Who, int]:
    """The id of each whose session is good. What is known of others is asked for again after 2 s."""
    now = time.monotonic()
    found = {who: known[1] for who in asked if (known := _known.get(who)) and now - known[0] < REMEMBER_S}
    if unknown := set(asked) - found.keys():
        read = _read(unknown)
        if len(_known) + len(read) > REMEMBER_AT_MOST:
            _known.clear()
        # From before the question, so that a slow answer doesn't make what it says younger than it is.
        _known.update({who: (now, player_id) for who, player_id in read.items()})
        found |= read
    return found


def _read(asked: Collection[Who]) -> dict[Who, int]:
    """The ids of those who are active, each with the session that they name or without any."""
    params = {"players": [public_id for public_id, _ in asked], "sessions": [session for _, session in asked]}
    rows = sql.fetch_often(sql.text("accounts", "good_sessions"), params)
    return {(row.player, row.session): row.id for row in rows}
