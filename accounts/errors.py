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


class LockedOut(DomainError):
    """Too many wrong passwords, or too many wrong tries of one code: nothing more is judged for a while."""

    code, status, title = "locked-out", 429, _("Too many wrong tries. Please wait.")
    temporary = True


class InvalidPhone(DomainError):
    code, status, title = "invalid-phone", 422, _("This is not the number of a mobile phone.")


class CodesTooOften(DomainError):
    """One code a minute and ten a day for one number, whoever asks."""

    code, status, title = "codes-too-often", 429, _("A code was sent to this number a short while ago. Please wait.")
    temporary = True


class WrongCode(DomainError):
    """The same whether the code is wrong, was replaced by a newer one, or none was ever asked for."""

    code, status, title = "wrong-code", 401, _("The code is wrong.")


class PhoneCodeExpired(DomainError):
    code, status, title = "phone-code-expired", 401, _("This code was right and has expired. Please ask for a new one.")


class CodeSpent(DomainError):
    code, status, title = "code-spent", 401, _("This code was used before. Please ask for a new one.")


class PlayerShutOut(DomainError):
    """Told only to who has shown that the account is theirs."""

    code, status, title = "player-shut-out", 403, _("This account has been closed.")


class PhoneSignInOff(DomainError):
    code, status, title = "phone-sign-in-off", 404, _("Nobody signs in by phone here.")


class MessageWorthless(DomainError):
    code, title = "message-worthless", _("This message is too late or was replaced; there is nothing left to send.")


class PushWorthless(DomainError):
    code, title = "push-worthless", _("This push is too late; there is nothing left to tell.")


class InvalidNotifications(DomainError):
    code, status, title = (
        "invalid-notifications",
        422,
        _("Mute types of events that there are, and give quiet hours with both ends and a time zone that there is."),
    )


class SessionNotFound(DomainError):
    code, status, title = "session-not-found", 404, _("You have no such session.")


class BanOfOneself(DomainError):
    code, status, title = "ban-of-oneself", 422, _("You can't ban yourself.")


class StaffNotBanned(DomainError):
    code, title = "staff-not-banned", _("This is a member of staff. Take their rights first.")


class AlreadyBanned(DomainError):
    code, title = "already-banned", _("This player is shut out already.")


class NotBanned(DomainError):
    code, title = "not-banned", _("This player is not banned.")


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


class InvitationNotFound(DomainError):
    """Unknown, revoked, or of somebody who was shut out or with whom there is a block: they look the same."""

    code, status, title = "invitation-not-found", 404, _("There is no such invitation.")


class InvitationOfOneself(DomainError):
    code, status, title = "invitation-of-oneself", 422, _("This is your own invitation.")


class InvitationLimitReached(DomainError):
    code, title = "invitation-limit-reached", _("You have as many invitation links as there can be.")


class IssuerUnknown(DomainError):
    code, status, title = "issuer-unknown", 401, _("Tokens of this issuer are not accepted here.")


class FederatedTokenInvalid(DomainError):
    code, status, title = "federated-token-invalid", 401, _("This token is not valid.")


class FederatedTokenExpired(DomainError):
    code, status, title = "federated-token-expired", 401, _("This token has expired.")


class FederatedTokenUsed(DomainError):
    code, status, title = "federated-token-used", 401, _("This token has signed in before. Get a new one.")


class FederationUnavailable(DomainError):
    code, status, title = "federation-unavailable", 503, _("The keys of the other app are not to be had now.")
    temporary = True


class ErasureNotConfirmed(DomainError):
    code, status, title = (
        "erasure-not-confirmed",
        422,
        _("To be erased, give your username, and your password if you have one."),
    )


class StaffNotErased(DomainError):
    code, title = "staff-not-erased", _("This is a member of staff. Take their rights first.")
