"""Signing in, staying signed in, and signing out."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth import hashers
from django.db import transaction
from django.db.models import QuerySet

from accounts import answers, errors, families, hashing, lockouts, names, tokens
from accounts.models import Player, RefreshFamily
from fortunes.answers import instant
from fortunes.errors import DomainError

TROUBLES: dict[families.Trouble, type[DomainError]] = {
    families.Trouble.UNKNOWN: errors.RefreshInvalid,
    families.Trouble.EXPIRED: errors.RefreshExpired,
    families.Trouble.REUSED: errors.RefreshReused,
}


def sign_in(*, username: str, password: str, network: str) -> answers.SessionAnswer:
    """A new session of the player with this username and password; `network` is where the request comes from.

    Raises WrongCredentials, LockedOut or Busy.
    """
    player = judge(username=username, password=password, network=network)
    with transaction.atomic(durable=True):
        return begin(player)


def judge(*, username: str, password: str, network: str) -> Player:
    """The active player with this username and password. Raises WrongCredentials, LockedOut or Busy."""
    username = names.normalise_username(username)
    # First a place, or a busy server would use up the tries.
    with hashing.place():
        # Committed before the password is looked at: of many at once, those beyond the limit end here.
        with transaction.atomic(durable=True):
            taken = lockouts.take(username, network)
        player = _owner(username, password)
    if player is None:
        raise errors.WrongCredentials
    with transaction.atomic(durable=True):
        lockouts.give_back(taken)
    return player


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


def of(*, player_id: int) -> QuerySet[RefreshFamily]:
    """Where a player is signed in."""
    return families.alive().filter(player=player_id)


def end(*, by: int, session: UUID | None) -> None:
    """Sign out one device; its sockets are closed and its tokens refused within seconds. Raises SessionNotFound."""
    with transaction.atomic(durable=True):
        if session is None or not families.end(of(player_id=by).filter(public_id=session)):
            raise errors.SessionNotFound


def end_all(*, by: int) -> None:
    """Sign out everywhere, here too."""
    with transaction.atomic(durable=True):
        families.end(RefreshFamily.objects.filter(player=by))


def _owner(username: str, password: str) -> Player | None:
    """Whose username and password these are; None for an unknown username, a wrong password and who is shut out."""
    player = Player.objects.filter(username=username).first() if names.is_username(username) else None
    if player is None or not player.has_usable_password():
        # The cost of a wrong password, so that the time of the answer doesn't tell which usernames exist.
        hashers.make_password(password)
        return None
    return player if player.check_password(password) and player.is_active else None


def _tokens(player: Player, refresh_token: str) -> answers.TokensAnswer:
    access, expires_at = tokens.issue(player, families.id_of(refresh_token))
    return answers.TokensAnswer(access=access, access_expires_at=instant(expires_at), refresh=refresh_token)
