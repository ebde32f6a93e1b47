"""Who comes in through a socket, and from which place in the feeds they go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from rest_framework import serializers

from accounts import tokens
from config.sockets.frames import Refused
from fortunes import clock, rest
from fortunes.actions import feeds
from fortunes.answers import instant
from fortunes.errors import DomainError
from fortunes.models import Campaign

R = TypeVar("R")

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


def admit(wanted: Sequence[dict[str, Any]]) -> list[Ticket | Exception]:
    """A ticket for the data of each `connect`, or ValidationError, TokenInvalid, TokenExpired or CampaignNotFound."""
    campaigns: dict[str, Campaign | Exception] = {}
    checked = [_outcome(lambda data=data: rest.validated(ConnectData, data)) for data in wanted]  # type: ignore[misc]
    players = iter(tokens.players_of([asked["token"] for asked in checked if not isinstance(asked, Exception)]))
    return [asked if isinstance(asked, Exception) else _ticket(asked, next(players), campaigns) for asked in checked]


def _ticket(
    asked: dict[str, Any], player: tokens.Identity | Exception, campaigns: dict[str, Campaign | Exception]
) -> Ticket | Exception:
    """`campaigns` are those that were looked up for others."""
    if isinstance(player, Exception):
        return player
    slug = asked["campaign"]
    if slug not in campaigns:
        campaigns[slug] = _outcome(lambda: rest.require_campaign(slug))
    campaign = campaigns[slug]
    return campaign if isinstance(campaign, Exception) else Ticket(player, campaign, asked["resume"])


def _outcome(work: Callable[[], R]) -> R | Exception:
    """A refusal is one's own and must not spoil the others' call; an accident is everybody's."""
    try:
        return work()
    except (DomainError, serializers.ValidationError) as error:
        return error


def places(tickets: Sequence[Ticket]) -> list[Place]:
    """Where sockets go on. `recovered` promises that nothing between there and now will be missing."""
    epoch, found = feeds.epoch(), feeds.newest([_seen(ticket) for ticket in tickets])
    now = clock.estimate()
    return [_place(ticket, newest, epoch, now) for ticket, newest in zip(tickets, found, strict=True)]


def _seen(ticket: Ticket) -> feeds.Seen:
    resume = ticket.resume or {"seq": None, "campaign_seq": None}
    return feeds.Seen(ticket.player.pk, ticket.campaign.pk, resume["seq"], resume["campaign_seq"])


def _place(ticket: Ticket, newest: feeds.Newest, epoch: str, now: datetime) -> Place:
    begin = (newest.seq, newest.campaign_seq)
    resume = ticket.resume
    recovered = resume is not None and resume["epoch"] in (None, epoch) and _can_resume(resume, newest)
    if resume is not None and recovered:
        begin = (resume["seq"], resume["campaign_seq"])
    return Place(recovered, epoch, newest.seq, newest.campaign_seq, *begin, now)


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


def pongs(asked: Sequence[feeds.Seen]) -> list[Pong]:
    """The newest numbers for each who asks."""
    now = instant(clock.estimate())
    return [Pong(seq=found.seq, campaign_seq=found.campaign_seq, server_time=now) for found in feeds.newest(asked)]


def renew(player_id: int, data: dict[str, Any]) -> tokens.Identity:
    """Whose a newer token is and for how long. Raises ValidationError, TokenInvalid, TokenExpired or Refused."""
    player = tokens.player_of(rest.validated(RefreshData, data)["token"])
    if player.pk != player_id:
        raise Refused("forbidden", "This token is another player's.")
    return player


def _can_resume(resume: Mapping[str, Any], newest: feeds.Newest) -> bool:
    missed = newest.seq - resume["seq"]
    missed_broadcasts = newest.campaign_seq - resume["campaign_seq"]
    if missed < 0 or missed_broadcasts < 0 or missed + missed_broadcasts > MOST_MISSED:
        return False
    # What retention has deleted can't be sent: the next number must still be there.
    goes_on = missed == 0 or newest.next_seq == resume["seq"] + 1
    return bool(goes_on) and (missed_broadcasts == 0 or newest.next_campaign_seq == resume["campaign_seq"] + 1)
