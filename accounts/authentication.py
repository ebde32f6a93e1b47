"""`Authorization: Bearer <access token>` for the API."""

from __future__ import annotations

from uuid import UUID

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from accounts import tokens


class AccessTokenAuthentication(BaseAuthentication):
    """Puts a `tokens.Identity` into `request.user` and `request.auth`. Raises TokenInvalid or TokenExpired."""

    def authenticate(self, request: Request) -> tuple[tokens.Identity, tokens.Identity] | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        identity = tokens.player_of(token.strip())
        return identity, identity

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def player_id(request: Request) -> int:
    """Who asks, in a view that lets only players in."""
    if not isinstance(request.auth, tokens.Identity):
        raise NotAuthenticated
    return request.auth.player_id


def session_of(request: Request) -> UUID | None:
    """The session whose token this request carries."""
    return request.auth.session if isinstance(request.auth, tokens.Identity) else None
