"""A player is forgotten: their words go, and what others' proofs rest on keeps its numbers (docs/privacy.md)."""

from __future__ import annotations

import secrets

from django.contrib.auth import hashers
from django.db import transaction
from django.db.models import F, Q

from accounts import errors, events, families, friends, locks, names, phones
from accounts.actions import sessions
from accounts.models import Friendship, InvitationLink, Player, RefreshFamily
from fortunes import audit, personal
from fortunes import events as feed
from fortunes.errors import Busy
from fortunes.models import DatabaseNow

# Everybody who came in between was in the queue before us, so there are fewer each time.
ATTEMPTS = 10


class _FriendsChanged(Exception):
    """A friend came between the look and the locks."""


def erase_oneself(*, player_id: int, confirm: str, password: str | None, network: str) -> None:
    """Erase the one who asks; twice is once. `confirm` is their username, `password` theirs if they have one.

    Raises ErasureNotConfirmed, WrongCredentials, LockedOut, StaffNotErased or Busy.
    """
    player = Player.objects.get(pk=player_id)
    if player.erased_at is not None:
        return
    if names.normalise_username(confirm) != player.username:
        raise errors.ErasureNotConfirmed
    if player.has_usable_password():
        if password is None:
            raise errors.ErasureNotConfirmed
        sessions.judge(username=player.username, password=password, network=network)
    erase(player_id=player_id, by=player_id)


def erase(*, player_id: int, by: int) -> None:
    """Erase a player's words, sign them out for good and end their friendships; twice is once. Audited.

    Raises PlayerNotFound, StaffNotErased or Busy.
    """
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic(durable=True):
                _erase(player_id, by)
            return
        except _FriendsChanged:
            continue
    raise Busy(retry_after_s=1)


def _erase(player_id: int, by: int) -> None:
    # The phone's code first and then the player, as at sign-in by phone.
    phones.forget(player_id)
    ended = _lock_with_friends(player_id)
    player = Player.objects.filter(pk=player_id).first()
    if player is None:
        raise errors.PlayerNotFound
    if player.erased_at is not None:
        return
    if player.is_staff or player.is_superuser:
        raise errors.StaffNotErased
    families.end(RefreshFamily.objects.filter(player=player_id))
    InvitationLink.objects.filter(player=player_id, revoked_at=None).update(revoked_at=DatabaseNow())
    _end_friendships(player_id, ended)
    personal.erase(player_id)
    _forget_names(player_id)
    _tell(player, ended)
    audit.record(actor=by, action="player.erased", subject="accounts.player", subject_id=player_id)


def _lock_with_friends(player_id: int) -> list[int]:
    """The ids of a player's friends, all of them and the player locked, so that none can come or go."""
    known = friends.of(player_id)
    locks.of([player_id, *known])
    still = friends.of(player_id)
    if not set(still) <= set(known):
        raise _FriendsChanged
    return still


def _end_friendships(player_id: int, ended: list[int]) -> None:
    """Asks and blocks go too, on both sides: there is nobody left whom they could be about."""
    Friendship.objects.filter(Q(player=player_id) | Q(friend=player_id)).delete()
    Player.objects.filter(pk__in=ended).update(friend_count=F("friend_count") - 1)


def _forget_names(player_id: int) -> None:
    """Late, because a change of the username holds up whoever writes a row that refers to this one."""
    Player.objects.filter(pk=player_id).update(
        username=f"erased-{secrets.token_hex(8)}",
        nickname="",
        password=hashers.make_password(None),
        friend_count=0,
        is_active=False,
        erased_at=DatabaseNow(),
    )


def _tell(player: Player, ended: list[int]) -> None:
    """Each friend, as if the player had ended it. Whose ask comes to nothing finds it gone."""
    others = friends.public_ids(ended)
    entries = [(other, events.FriendshipEnded(by=player.public_id, to=others[other])) for other in ended]
    if entries:
        feed.append(campaign_id=None, entries=entries)
