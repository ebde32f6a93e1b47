"""What the accounts app refuses; docs/errors.md lists all codes."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from fortunes.errors import DomainError


class InvalidUsername(DomainError):
    code, status, title = "invalid-username", 422, _("A username is 3 to 30 of a-z, 0-9, dot, dash and underscore.")


class InvalidNickname(DomainError):
    code, status, title = "invalid-nickname", 422, _("A nickname has 24 characters at most, all of them visible.")


class PasswordRefused(DomainError):
    code, status, title = "password-refused", 422, _("This password is too easy to guess.")


class UsernameTaken(DomainError):
    code, title = "username-taken", _("This username is taken.")


class WrongCredentials(DomainError):
    """The same for an unknown username, a wrong password and a player who was shut out."""

    code, status, title = "wrong-credentials", 401, _("The username or the password is wrong.")


class TokenInvalid(DomainError):
    code, status, title = "token-invalid", 401, _("This access token is not valid.")


class TokenExpired(DomainError):
    code, status, title = "token-expired", 401, _("This access token has expired.")


class RefreshInvalid(DomainError):
    code, status, title = "refresh-invalid", 401, _("This refresh token is not valid. Please sign in again.")


class RefreshExpired(DomainError):
    code, status, title = "refresh-expired", 401, _("This refresh token has expired. Please sign in again.")


class RefreshReused(DomainError):
    code, status, title = "refresh-reused", 401, _("This refresh token was used before. Please sign in again.")


class PlayerNotFound(DomainError):
    """Nobody there, or somebody who has blocked the one who asks: they look the same."""

    code, status, title = "player-not-found", 404, _("There is no such player.")


class FriendshipNotFound(DomainError):
    code, status, title = "friendship-not-found", 404, _("You are neither friends nor has one asked the other.")


class FriendshipNotAsked(DomainError):
    code, title = "friendship-not-asked", _("Only the player who was asked can accept.")


class FriendshipWithOneself(DomainError):
    code, status, title = "friendship-with-oneself", 422, _("That is you.")


class PlayerBlocked(DomainError):
    code, title = "player-blocked", _("You have blocked this player.")


class FriendLimitReached(DomainError):
    code, title = "friend-limit-reached", _("One of you has as many friends as there can be.")
