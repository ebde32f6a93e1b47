"""Feeds, read: what a player or a campaign was told, in order and without a gap."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from fortunes import answers, sql
from fortunes.models import Broadcast, CampaignFeed, Event, Feed

PAGE = 200


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One event or broadcast as REST and the socket send it; `campaign` is its slug, or null."""

    event: str
    seq: int
    at: str
    campaign: str | None
    data: dict[str, Any]


def events_after(*, player_id: int, seq: int, limit: int = PAGE) -> list[Notice]:
    """At most `limit` events of a player that follow `seq`, oldest first."""
    rows = Event.objects.filter(player_id=player_id, seq__gt=seq).order_by("seq")
    return [_notice(*row) for row in rows.values_list("type", "seq", "at", "campaign__slug", "data")[:limit]]


def broadcasts_after(*, campaign_id: int, seq: int, limit: int = PAGE) -> list[Notice]:
    """At most `limit` broadcasts of a campaign that follow `seq`, oldest first."""
    rows = Broadcast.objects.filter(campaign_id=campaign_id, seq__gt=seq).order_by("seq")
    return [_notice(*row) for row in rows.values_list("type", "seq", "at", "campaign__slug", "data")[:limit]]


def _notice(event: str, seq: int, at: datetime, campaign: str | None, data: dict[str, Any]) -> Notice:
    return Notice(event=event, seq=seq, at=answers.instant(at), campaign=campaign, data=data)


def player_positions(*, players: Iterable[int]) -> dict[int, int]:
    """The newest seq of each player; 0 for one who was never told anything."""
    wanted = list(players)
    known = dict(Feed.objects.filter(player_id__in=wanted).values_list("player_id", "seq"))
    return {player: known.get(player, 0) for player in wanted}


def campaign_positions(*, campaigns: Iterable[int]) -> dict[int, int]:
    """The newest broadcast seq of each campaign."""
    wanted = list(campaigns)
    known = dict(CampaignFeed.objects.filter(campaign_id__in=wanted).values_list("campaign_id", "seq"))
    return {campaign: known.get(campaign, 0) for campaign in wanted}


def epoch() -> str:
    """The name of this history of the feeds; a client that has seen numbers of another must start afresh."""
    name: str = sql.fetch(sql.text("fortunes", "epoch"))[0].epoch
    return name
