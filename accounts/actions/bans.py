"""Shutting players out, and letting them in again. Staff do it, and it is audited."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from accounts import errors, families
from accounts.models import Ban, Player, RefreshFamily
from fortunes import audit
from fortunes.models import DatabaseNow


def ban(*, player_id: int, by: int, reason: Ban.Reason) -> Ban:
    """Shut a player out: signed out everywhere within seconds, and never signed in again until the ban is lifted.

    What they own stays theirs. Raises BanOfOneself, PlayerNotFound, StaffNotBanned or AlreadyBanned.
    """
    if player_id == by:
        raise errors.BanOfOneself
    with transaction.atomic(durable=True):
        # Compare and swap: of two at once the second waits for the row and finds it changed.
        active = _people().filter(pk=player_id, is_active=True, is_staff=False, is_superuser=False)
        if not active.update(is_active=False):
            raise _why_not(player_id)
        done = Ban.objects.create(player_id=player_id, by_id=by, reason=reason)
        families.end(RefreshFamily.objects.filter(player=player_id))
        _record("player.banned", player_id, by, reason=str(reason))
    return done


def unban(*, player_id: int, by: int) -> Ban:
    """Lift the ban in force; the player signs in anew. Raises PlayerNotFound or NotBanned."""
    with transaction.atomic(durable=True):
        # The player's row first, as above: the two must not wait for each other.
        if not _people().select_for_update(no_key=True).filter(pk=player_id).exists():
            raise errors.PlayerNotFound
        in_force = Ban.objects.filter(player=player_id, lifted_at=None).first()
        if in_force is None:
            raise errors.NotBanned
        Ban.objects.filter(pk=in_force.pk).update(lifted_at=DatabaseNow(), lifted_by=by)
        # A sign-in that was judged before the ban may have begun a session after it.
        families.end(RefreshFamily.objects.filter(player=player_id))
        Player.objects.filter(pk=player_id).update(is_active=True)
        in_force.refresh_from_db()
        _record("player.unbanned", player_id, by)
    return in_force


def _people() -> QuerySet[Player]:
    """Not those who had themselves erased: there is nobody left to shut out or to let in."""
    return Player.objects.filter(erased_at=None)


def _why_not(player_id: int) -> errors.DomainError:
    player = _people().filter(pk=player_id).first()
    if player is None:
        return errors.PlayerNotFound()
    return errors.StaffNotBanned() if player.is_staff or player.is_superuser else errors.AlreadyBanned()


def _record(action: str, player_id: int, by: int, **data: str) -> None:
    audit.record(actor=by, action=action, subject="accounts.player", subject_id=player_id, **data)
