"""Feeds, read: what a player or a campaign was told, in order and without a gap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

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


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A Notice whose data are the text that the database has: it is passed on and not looked into."""

    event: str
    seq: int
    at: str
    campaign: str | None
    data: msgspec.Raw


class Seen(NamedTuple):
    """Whose feeds, and the last numbers of them that a client has seen: None if it has seen nothing."""

    player_id: int
    campaign_id: int
    seq: int | None = None
    campaign_seq: int | None = None


class Newest(NamedTuple):
    """The newest numbers of a player's feed and of a campaign's, and the first ones kept beyond those seen."""

    seq: int
    campaign_seq: int
    next_seq: int | None
    next_campaign_seq: int | None


def events_after(*, player_id: int, seq: int, limit: int = PAGE) -> list[Notice]:
    """At most `limit` events of a player that follow `seq`, oldest first."""
    rows = Event.objects.filter(player_id=player_id, seq__gt=seq).order_by("seq")
    return [_notice(*row) for row in rows.values_list("type", "seq", "at", "campaign__slug", "data")[:limit]]


def read_on(wanted: Sequence[tuple[int, int]]) -> list[list[Told]]:
    """For each pair of a player and a number the events that follow it, oldest first, at most `PAGE`."""
    params = {"players": [player for player, _ in wanted], "after": [seq for _, seq in wanted], "most": PAGE}
    found: list[list[Told]] = [[] for _ in wanted]
    for row in sql.fetch_often(sql.text("fortunes", "events_after"), params):
        told = Told(event=row.type, seq=row.seq, at=answers.instant(row.at), campaign=row.campaign, data=_raw(row.data))
        found[row.place - 1].append(told)
    return found


def newest(wanted: Sequence[Seen]) -> list[Newest]:
    """Where the feeds are for each, in one statement."""
    params = {
        "players": [seen.player_id for seen in wanted],
        "campaigns": [seen.campaign_id for seen in wanted],
        "seen": [seen.seq for seen in wanted],
        "campaign_seen": [seen.campaign_seq for seen in wanted],
    }
    return [Newest(*row) for row in sql.fetch_often(sql.text("fortunes", "places"), params)]


def broadcasts_after(*, campaign_id: int, seq: int, limit: int = PAGE) -> list[Notice]:
    """At most `limit` broadcasts of a campaign that follow `seq`, oldest first."""
    rows = Broadcast.objects.filter(campaign_id=campaign_id, seq__gt=seq).order_by("seq")
    return [_notice(*row) for row in rows.values_list("type", "seq", "at", "campaign__slug", "data")[:limit]]


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


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
