"""How a player wants to be told of events while they are away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

from django.db import transaction

from accounts import answers, errors, federation, locks, quiet, standings
from accounts.models import FederatedIdentity, NotificationSettings
from accounts.quiet import Hours
from accounts.standings import Wishes
from fortunes import events, pushes

CHOSEN = ["enabled", "muted", "quiet_from", "quiet_to", "tz"]


def read(*, player_id: int) -> answers.NotificationsAnswer:
    """What they have chosen, or what is so by default."""
    row = NotificationSettings.objects.filter(player=player_id).first()
    return answers.notifications(_wishes(row) if row else standings.by_default(), types())


def change(
    *, player_id: int, enabled: bool, muted: Sequence[str], quiet_from: time | None, quiet_to: time | None, tz: str
) -> answers.NotificationsAnswer:
    """All of it anew. Raises InvalidNotifications, and TokenInvalid for players who were erased."""
    _check(muted, quiet_from, quiet_to, tz)
    row = NotificationSettings(
        player_id=player_id, enabled=enabled, muted=sorted(set(muted)), quiet_from=quiet_from, quiet_to=quiet_to, tz=tz
    )
    with transaction.atomic(durable=True):
        # An erasure holds its player from beginning to end: it must not miss this row.
        if locks.of([player_id])[player_id].erased:
            raise errors.TokenInvalid
        NotificationSettings.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["player"], update_fields=CHOSEN
        )
        let(player_id=player_id)
    return answers.notifications(_wishes(row), types())


def let(*, player_id: int) -> None:
    """Turn pushes on or off as the player wants it, in the caller's transaction and late in it: feeds are locked last.

    What they want is read under the feed's lock, so that of a sign-in and a change at the same time the later sees what
    the other wrote.
    """
    host = FederatedIdentity.objects.filter(player=player_id).order_by("-pk").values_list("issuer", flat=True).first()
    if host not in federation.push_urls():
        return
    pushes.lock(player_id)
    if NotificationSettings.objects.filter(player=player_id, enabled=False).exists():
        pushes.turn_off(player_id)
    else:
        pushes.turn_on(player_id)


def types() -> list[str]:
    """The types of events that players are told of while they are away."""
    return sorted(name for name, telling in events.TELLING.items() if telling.pushed)


def _wishes(row: NotificationSettings) -> Wishes:
    hours = Hours(row.quiet_from, row.quiet_to) if row.quiet_from and row.quiet_to else None
    return Wishes(row.enabled, frozenset(row.muted), hours, row.tz)


def _check(muted: Sequence[str], quiet_from: time | None, quiet_to: time | None, tz: str) -> None:
    known = types()
    for place, name in enumerate(muted):
        if name not in known:
            raise _invalid(f"/muted/{place}", "unknown")
    if (quiet_from is None) != (quiet_to is None):
        raise _invalid("/quiet_to" if quiet_to is None else "/quiet_from", "required")
    if quiet_from is not None and quiet_from == quiet_to:
        raise _invalid("/quiet_to", "invalid")
    if tz not in quiet.zones():
        raise _invalid("/tz", "unknown")


def _invalid(pointer: str, code: str) -> errors.InvalidNotifications:
    detail = str(errors.InvalidNotifications.title)
    return errors.InvalidNotifications(errors=[{"pointer": pointer, "code": code, "detail": detail}])
