"""What a host app's token says of its user: a JWT (RFC 7519) of a configured issuer, verified.

Nothing is believed that the configuration doesn't allow: the header chooses a key among the issuer's own and nothing
else, and a key signs with the one algorithm of its kind. Tokens are judged by the database's clock, live 15 minutes at
most, and are good for one sign-in (`accounts.actions.federation`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from django.conf import settings

from accounts import errors, issuers, keysets
from accounts.issuers import Issuer
from fortunes import clock

LONGEST = 4096
LONGEST_SUBJECT = 255
LONGEST_LIFE_S = 15 * 60
# Host apps' clocks aren't ours.
LEEWAY_S = 30
REQUIRED = ["iss", "sub", "aud", "exp", "iat"]
# Judged here, by the database's clock; the library would ask the host's.
OPTIONS: Any = {"require": REQUIRED, "verify_exp": False, "verify_nbf": False, "verify_iat": False}


@dataclass(frozen=True, slots=True)
class HostUser:
    """Who a host app says its user is. `digest` is of what was signed, so two tokens never share one."""

    issuer: str
    subject: str
    nickname: str
    digest: bytes
    expires_at: datetime


def load() -> dict[str, keysets.KeySet]:
    """The configured issuers' key sets by `iss`, read once a process. Raises issuers.IssuersError."""
    return _load(settings.FEDERATION_FILE, bool(settings.DEBUG))


@cache
def _load(file: str, plain_http: bool) -> dict[str, keysets.KeySet]:
    found = issuers.read(Path(file), plain_http=plain_http) if file else ()
    for issuer in found:
        if issuer.jwks_file is not None:
            _check_file(issuer, issuer.jwks_file)
    return {issuer.issuer: keysets.KeySet(issuer) for issuer in found}


def _check_file(issuer: Issuer, file: Path) -> None:
    try:
        keysets.parse(file.read_bytes(), issuer)
    except OSError as error:
        raise issuers.IssuersError(f"{issuer.slug}: {file} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise issuers.IssuersError(f"{issuer.slug}: {file}: {error}") from error


def push_urls() -> dict[str, str]:
    """The addresses of the push services of those host apps that have one, by the app's slug."""
    apps = (keyset.issuer for keyset in load().values())
    return {app.slug: app.push_url for app in apps if app.push_url}


def user_of(token: str) -> HostUser:
    """Whom a host app's token belongs to.

    Raises FederatedTokenInvalid, FederatedTokenExpired, IssuerUnknown or FederationUnavailable.
    """
    if len(token) > LONGEST:
        raise errors.FederatedTokenInvalid
    known = load()
    try:
        header, issuer = jwt.get_unverified_header(token), _unverified_issuer(token)
        keyset = known.get(issuer)
        if keyset is None:
            raise errors.IssuerUnknown
        claims = _verified(token, header, keyset)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise errors.FederatedTokenInvalid from error
    expires_at = _judge_times(claims)
    subject = claims["sub"]
    # No line breaks, no NUL, no halves of characters.
    if not (0 < len(subject) <= LONGEST_SUBJECT and subject.isprintable()):
        raise errors.FederatedTokenInvalid
    return HostUser(
        issuer=keyset.issuer.slug,
        subject=subject,
        nickname=_nickname(claims, keyset.issuer),
        digest=hashlib.sha256(token.rpartition(".")[0].encode()).digest(),
        expires_at=expires_at,
    )


def _unverified_issuer(token: str) -> str:
    """Which of our issuers the token says it is from: a name to look up, and nothing that is believed."""
    issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    if not isinstance(issuer, str):
        raise jwt.MissingRequiredClaimError("iss")
    return issuer


def _verified(token: str, header: dict[str, Any], keyset: keysets.KeySet) -> dict[str, Any]:
    key_id = header.get("kid")
    # What is critical, and which address or certificate has the key, isn't for the token to say.
    if not isinstance(key_id, str) or "crit" in header:
        raise errors.FederatedTokenInvalid
    try:
        key = keyset.key(key_id)
    except keysets.Unavailable as error:
        raise errors.FederationUnavailable(retry_after_s=int(keysets.PAUSE_S)) from error
    if key is None:
        raise errors.FederatedTokenInvalid
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=[key.algorithm_name],
        audience=keyset.issuer.audience,
        issuer=keyset.issuer.issuer,
        options=OPTIONS,
    )
    return claims


def _judge_times(claims: dict[str, Any]) -> datetime:
    """Until when the token is good. Raises FederatedTokenInvalid or FederatedTokenExpired."""
    expires, issued, begins = claims["exp"], claims["iat"], claims.get("nbf", claims["iat"])
    if not all(_is_instant(value) for value in (expires, issued, begins)):
        raise errors.FederatedTokenInvalid
    now = clock.estimate().timestamp()
    if expires + LEEWAY_S <= now:
        raise errors.FederatedTokenExpired
    if max(issued, begins) > now + LEEWAY_S or not 0 < expires - issued <= LONGEST_LIFE_S:
        raise errors.FederatedTokenInvalid
    return datetime.fromtimestamp(expires + LEEWAY_S, UTC)


def _is_instant(value: Any) -> bool:
    """A NumericDate within reason: some hosts write fractions of a second."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 2**40


def _nickname(claims: dict[str, Any], issuer: Issuer) -> str:
    value = claims.get(issuer.nickname_claim) if issuer.nickname_claim else None
    return value if isinstance(value, str) else ""
