"""Who comes in through a socket, and from which place in the feeds they go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from rest_framework import serializers

from accounts import tokens
from config.sockets.frames import Refused
from fortunes import clock, rest
from fortunes.actions import feeds
from fortunes.answers import instant
from fortunes.models import Campaign

MOST_MISSED = 1000


class ResumeData(rest.StrictSerializer):
    """Where a client has got to: the numbers of the last push and the last broadcast that it has processed."""

    epoch = serializers.CharField(max_length=64, required=False, allow_null=True, default=None)
    seq = serializers.IntegerField(min_value=0, max_value=2**63 - 1)
    campaign_seq = serializers.IntegerField(min_value=0, max_value=2**63 - 1)


class ConnectData(rest.StrictSerializer):
    """The first frame's data."""

    token = serializers.CharField(max_length=tokens.LONGEST)
    campaign = serializers.CharField(max_length=50)
    resume = ResumeData(required=False, allow_null=True, default=None)


class RefreshData(rest.StrictSerializer):
    """A newer token of the same player."""

    token = serializers.CharField(max_length=tokens.LONGEST)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Who, and for which campaign."""

    player: tokens.Identity
    campaign: Campaign
    resume: dict[str, Any] | None


class Place(msgspec.Struct, frozen=True):
    """Where a socket goes on: at what the client saw last, or, where that can't be had, at the newest."""

    recovered: bool
    epoch: str
    seq: int
    campaign_seq: int
    from_seq: int
    from_campaign_seq: int
    server_time: datetime


class Welcome(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `connect`. `seq` and `campaign_seq` are the newest numbers of the feeds."""

    recovered: bool
    epoch: str
    seq: int
    campaign_seq: int
    player: UUID
    campaign: str
    ping_s: int
    expires_at: str
    server_time: str


class Pong(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `ping`: the newest numbers. Pushes up to there follow unless they came already."""

    seq: int
    campaign_seq: int
    server_time: str


class Renewed(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `token.refresh`."""

    expires_at: str


def admit(data: dict[str, Any]) -> Ticket:
    """Raises ValidationError, TokenInvalid, TokenExpired or CampaignNotFound."""
    asked = rest.validated(ConnectData, data)
    player = tokens.player_of(asked["token"])
    return Ticket(player, rest.require_campaign(asked["campaign"]), asked["resume"])


def place(ticket: Ticket) -> Place:
    """Where a socket goes on. `recovered` promises that nothing between there and now will be missing."""
    epoch = feeds.epoch()
    seq, campaign_seq = _newest(ticket.player.pk, ticket.campaign.pk)
    begin = (seq, campaign_seq)
    resume = ticket.resume
    recovered = resume is not None and resume["epoch"] in (None, epoch) and _can_resume(ticket, resume, *begin)
    if resume is not None and recovered:
        begin = (resume["seq"], resume["campaign_seq"])
    return Place(recovered, epoch, seq, campaign_seq, *begin, clock.estimate())


def welcome(ticket: Ticket, place: Place, *, ping_s: int) -> Welcome:
    return Welcome(
        recovered=place.recovered,
        epoch=place.epoch,
        seq=place.seq,
        campaign_seq=place.campaign_seq,
        player=ticket.player.public_id,
        campaign=ticket.campaign.slug,
        ping_s=ping_s,
        expires_at=instant(ticket.player.expires_at),
        server_time=instant(place.server_time),
    )


def pong(player_id: int, campaign_id: int) -> Pong:
    seq, campaign_seq = _newest(player_id, campaign_id)
    return Pong(seq=seq, campaign_seq=campaign_seq, server_time=instant(clock.estimate()))


def renew(player_id: int, data: dict[str, Any]) -> tokens.Identity:
    """Whose a newer token is and for how long. Raises ValidationError, TokenInvalid, TokenExpired or Refused."""
    player = tokens.player_of(rest.validated(RefreshData, data)["token"])
    if player.pk != player_id:
        raise Refused("forbidden", "This token is another player's.")
    return player


def _newest(player_id: int, campaign_id: int) -> tuple[int, int]:
    (seq,) = feeds.player_positions(players=[player_id]).values()
    (campaign_seq,) = feeds.campaign_positions(campaigns=[campaign_id]).values()
    return seq, campaign_seq


def _can_resume(ticket: Ticket, resume: dict[str, Any], seq: int, campaign_seq: int) -> bool:
    missed = seq - resume["seq"]
    missed_broadcasts = campaign_seq - resume["campaign_seq"]
    if missed < 0 or missed_broadcasts < 0 or missed + missed_broadcasts > MOST_MISSED:
        return False
    # What retention has deleted can't be sent: the next number must still be there.
    events = feeds.events_after(player_id=ticket.player.pk, seq=resume["seq"], limit=1)
    broadcasts = feeds.broadcasts_after(campaign_id=ticket.campaign.pk, seq=resume["campaign_seq"], limit=1)
    return _goes_on(events, resume["seq"], missed) and _goes_on(broadcasts, resume["campaign_seq"], missed_broadcasts)


def _goes_on(notices: list[feeds.Notice], seq: int, missed: int) -> bool:
    return missed == 0 or (bool(notices) and notices[0].seq == seq + 1)
