"""Users of a host app sign in with a token of that app; the first time makes a player."""

from __future__ import annotations

from django.db import transaction

from accounts import answers, errors, federation, names
from accounts.actions import notifications, players, sessions
from accounts.models import FederatedIdentity, Player
from fortunes import sql
from fortunes.errors import Busy

ATTEMPTS = 3


class _KnownMeanwhile(Exception):
    """A parallel sign-in has made this user's player: ours is taken back."""


def sign_in(*, token: str, nickname: str = "", invitation: str = "") -> answers.SessionAnswer:
    """A new session of the player of this host app's user, who is made if there is none yet.

    `nickname`, or else what the token says of it, and `invitation`, the code of a link, count for a new player only. A
    token is good for one sign-in. Raises FederatedTokenInvalid, FederatedTokenExpired, FederatedTokenUsed,
    IssuerUnknown, FederationUnavailable, PlayerShutOut, and for a new player InvalidNickname or InvitationNotFound.
    """
    user = federation.user_of(token)
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic(durable=True):
                player = _player_of(user) or _arrive(user, nickname or _told_nickname(user), invitation)
                if not player.is_active:
                    raise errors.PlayerShutOut
                _spend(user)
                session = sessions.begin(player)
                # Whoever has signed in has the app on a device: its push service may tell them of events again.
                notifications.let(player_id=player.pk)
                return session
        except _KnownMeanwhile:
            continue
    raise Busy(retry_after_s=1)


def _player_of(user: federation.HostUser) -> Player | None:
    known = FederatedIdentity.objects.filter(issuer=user.issuer, subject=user.subject)
    identity = known.select_related("player").first()
    return identity.player if identity else None


def _arrive(user: federation.HostUser, nickname: str, invitation: str) -> Player:
    player = players.arrive(nickname=nickname, invitation=invitation)
    fields = {"player": player.pk, "issuer": user.issuer, "subject": user.subject}
    if not sql.execute(sql.text("accounts", "know_host_user"), fields):
        raise _KnownMeanwhile
    return player


def _spend(user: federation.HostUser) -> None:
    """Whoever has seen a token, in a log or on its way, can't sign in with it again."""
    fields = {"digest": user.digest, "expires_at": user.expires_at}
    if not sql.execute(sql.text("accounts", "spend_token"), fields):
        raise errors.FederatedTokenUsed


def _told_nickname(user: federation.HostUser) -> str:
    """What the host calls its user, if that may be a nickname here: nobody is kept out by it."""
    nickname = names.normalise_nickname(user.nickname)
    return nickname if names.is_nickname(nickname) else ""
