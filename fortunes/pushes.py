"""Whom a host app tells of their events while they are away, and who is due for it. The sending is `accounts`' part.

A feed with `pushes` makes its player due with every event (fortunes/sql/functions/append_events_v2.sql), by one row.
Whoever has dealt with the events up to a number says so with `taken`, which leaves the player due if there are newer
ones. Rows are made and deleted under the feed's lock; players without pushes cost nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import F

from fortunes import sql
from fortunes.models import Feed, PushDue


class Range(NamedTuple):
    """Events of a player: those after one number, up to another."""

    player_id: int
    after: int
    upto: int


class Told(NamedTuple):
    """An event as it may be told; `campaign` is a slug."""

    seq: int
    type: str
    at: datetime
    campaign: str | None
    data: dict[str, Any]


def lock(player_id: int) -> None:
    """Hold a player's feed until the end of the caller's transaction; as late in it as events are."""
    sql.execute(sql.text("fortunes", "lock_feed"), {"player": player_id})


def turn_on(player_id: int) -> None:
    """From the next event on the player is told; what was there before isn't. Under the feed's lock."""
    Feed.objects.filter(player=player_id, pushes=False).update(pushes=True, pushed_seq=F("seq"))


def turn_off(player_id: int) -> None:
    """The player is told nothing any more, of what waits neither. In the caller's transaction."""
    sql.execute(sql.text("fortunes", "push_off"), {"player": player_id})


def due(*, now: datetime, most: int) -> list[int]:
    """The ids of players who are due, whoever waits longest first.

    By an instant and not by the clock: that would be asked for each row, and all who sleep would be read.
    """
    rows = PushDue.objects.filter(due_at__lte=now).order_by("due_at")
    return list(rows.values_list("player_id", flat=True)[:most])


def taken(reads: Sequence[Range], *, again_at: Mapping[int, datetime]) -> set[int]:
    """These events have been dealt with; the ids of those players of whom that is so now.

    Not of whom somebody else has done so first, who is to be told nothing any more, and whose feed is in use. Players
    with newer events are due again: at `again_at`, or in some seconds.
    """
    players, was, upto = zip(*reads, strict=True)
    fields = {"players": list(players), "was": list(was), "upto": list(upto)}
    fields["again_at"] = [again_at.get(player) for player in players]
    return {row.player_id for row in sql.fetch(sql.text("fortunes", "push_taken"), fields)}


def put_off(until: Mapping[int, datetime]) -> None:
    """These players are due later."""
    fields = {"players": list(until), "until": list(until.values())}
    sql.execute(sql.text("fortunes", "push_put_off"), fields)


def events_of(ranges: Sequence[Range], *, most: int) -> list[list[Told]]:
    """For each range its events, oldest first, and of many the newest."""
    players, after, upto = zip(*ranges, strict=True) if ranges else ((), (), ())
    fields = {"players": list(players), "after": list(after), "upto": list(upto), "most": most}
    found: list[list[Told]] = [[] for _ in ranges]
    # Django has this connection give JSON as text.
    for row in sql.fetch(sql.text("fortunes", "push_events"), fields):
        found[row.place - 1].append(Told(row.seq, row.type, row.at, row.campaign, json.loads(row.data)))
    return found
