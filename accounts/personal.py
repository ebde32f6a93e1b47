"""What accounts hold about a player."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from accounts import answers, friends, phones
from accounts.models import (
    Ban,
    FederatedIdentity,
    InvitationLink,
    NotificationSettings,
    Phone,
    Referral,
    RefreshFamily,
)
from fortunes import personal
from fortunes.answers import instant


@personal.section("profile")
def _profile(player_id: int) -> Iterator[dict[str, Any]]:
    player = friends.player(player_id)
    yield {
        **msgspec.to_builtins(answers.me(player)),
        "password": player.has_usable_password(),
        "staff": player.is_staff,
    }


@personal.section("phones")
def _phones(player_id: int) -> Iterator[dict[str, Any]]:
    for phone in Phone.objects.filter(player=player_id):
        yield {"number": phones.number_of(player_id), "verified_at": instant(phone.verified_at)}


@personal.section("host-apps")
def _host_apps(player_id: int) -> Iterator[dict[str, Any]]:
    for row in FederatedIdentity.objects.filter(player=player_id).order_by("pk"):
        yield {"app": row.issuer, "known_there_as": row.subject, "since": instant(row.created_at)}


@personal.section("notifications")
def _notifications(player_id: int) -> Iterator[dict[str, Any]]:
    """What they have chosen; what they were told of is among the events."""
    for row in NotificationSettings.objects.filter(player=player_id):
        yield {
            "enabled": row.enabled,
            "muted": row.muted,
            "quiet_from": row.quiet_from,
            "quiet_to": row.quiet_to,
            "time_zone": row.tz,
        }


@personal.section("sessions")
def _sessions(player_id: int) -> Iterator[dict[str, Any]]:
    for row in RefreshFamily.objects.filter(player=player_id).order_by("pk").iterator(chunk_size=personal.BATCH):
        yield {
            "id": row.public_id,
            "signed_in_at": instant(row.created_at),
            "refreshed_at": instant(row.refreshed_at),
            "expires_at": instant(row.expires_at),
            "ended_at": instant(row.revoked_at) if row.revoked_at else None,
        }


@personal.section("bans")
def _bans(player_id: int) -> Iterator[dict[str, Any]]:
    for row in Ban.objects.filter(player=player_id).order_by("pk"):
        lifted_at = instant(row.lifted_at) if row.lifted_at else None
        yield {"reason": row.reason, "at": instant(row.at), "lifted_at": lifted_at}


@personal.section("friendships")
def _friendships(player_id: int) -> Iterator[dict[str, Any]]:
    """The others by id only: their names are theirs."""
    for row in friends.standings(player_id).order_by("pk").iterator(chunk_size=personal.BATCH):
        shown = answers.friendship(row.friend, row.state, row.since)
        yield {"player": shown.player.id, "state": shown.state, "since": shown.since}


@personal.section("invitations")
def _invitations(player_id: int) -> Iterator[dict[str, Any]]:
    for row in InvitationLink.objects.filter(player=player_id).order_by("pk").iterator(chunk_size=personal.BATCH):
        yield msgspec.to_builtins(answers.invitation(row))


@personal.section("referrals")
def _referrals(player_id: int) -> Iterator[dict[str, Any]]:
    """Whom this player brought in, and by whom they came."""
    by_them = Referral.objects.filter(inviter=player_id).order_by("invited").select_related("invited")
    for row in by_them.iterator(chunk_size=personal.BATCH):
        yield {"brought": row.invited.public_id, "at": instant(row.at)}
    for row in Referral.objects.filter(invited=player_id).select_related("inviter"):
        yield {"brought_by": row.inviter.public_id, "at": instant(row.at)}


@personal.eraser("accounts")
def _erase(player_id: int) -> None:
    """What is said of the player elsewhere. Their names, and what is between players, are `actions.erasure`'s part."""
    # Nobody is told of anything without it: what waits for the push service is dropped.
    FederatedIdentity.objects.filter(player=player_id).delete()
    NotificationSettings.objects.filter(player=player_id).delete()
    InvitationLink.objects.filter(player=player_id).update(channel="")
