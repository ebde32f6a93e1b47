"""Signing in, and staying signed in."""

from __future__ import annotations

from django.contrib.auth import hashers
from django.db import transaction

from accounts import answers, errors, families, names, tokens
from accounts.models import Player
from fortunes.answers import instant
from fortunes.errors import DomainError

TROUBLES: dict[families.Trouble, type[DomainError]] = {
    families.Trouble.UNKNOWN: errors.RefreshInvalid,
    families.Trouble.EXPIRED: errors.RefreshExpired,
    families.Trouble.REUSED: errors.RefreshReused,
}


def sign_in(*, username: str, password: str) -> answers.SessionAnswer:
    """A new session of the player with this username and password. Raises WrongCredentials."""
    username = names.normalise_username(username)
    player = Player.objects.filter(username=username).first() if names.is_username(username) else None
    if player is None:
        # The cost of a wrong password, so that the time of the answer doesn't tell which usernames exist.
        hashers.make_password(password)
        raise errors.WrongCredentials
    if not player.check_password(password) or not player.is_active:
        raise errors.WrongCredentials
    with transaction.atomic(durable=True):
        return begin(player)


def refresh(*, token: str) -> answers.RefreshedAnswer:
    """A session's next tokens; the old refresh token is spent.

    Raises RefreshInvalid, RefreshExpired, or RefreshReused, which ends the session for whoever holds its tokens.
    """
    # Raised after the commit: a reuse has revoked the family, and that must stay.
    with transaction.atomic(durable=True):
        rotated = families.rotate(token)
    if isinstance(rotated, families.Trouble):
        raise TROUBLES[rotated]
    player, following = rotated
    return answers.RefreshedAnswer(tokens=_tokens(player, following))


def begin(player: Player) -> answers.SessionAnswer:
    """A new session, in the caller's transaction."""
    return answers.SessionAnswer(player=answers.player(player), tokens=_tokens(player, families.start(player)))


def _tokens(player: Player, refresh_token: str) -> answers.TokensAnswer:
    access, expires_at = tokens.issue(player)
    return answers.TokensAnswer(access=access, access_expires_at=instant(expires_at), refresh=refresh_token)
