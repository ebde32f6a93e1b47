"""Who is due to be told of events gets a push for their host app, unless they have seen them or don't want to know.

Nothing is claimed here: whoever is first to move the number up to which a player was told has done it, and another who
read the same finds it moved (`fortunes.pushes.taken`). So each event is in one push at most, and in one at least if it
is news.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from accounts import standings, telling
from accounts.models import Push
from accounts.standings import Standing
from accounts.webhooks import Host
from fortunes import events, presence, pushes
from fortunes.pushes import Range, Told

# Of a player's events so many are looked at, the newest.
MOST_EVENTS = 100
# Who is online has seen what is older. A socket that died unnoticed is noticed within this time.
SEEN_AFTER = timedelta(seconds=90)
# What nobody has taken for so long is worth nothing any more.
WORTH = timedelta(hours=12)
# Quiet hours end for many at once; they are told within this time.
SPREAD_S = 300
# The same for a push service that was left alone.
REST_SPREAD_S = 5
# Whose feed was in use when they were to be told.
AGAIN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Dealt:
    """What has been read of whom, whose host is to be told of it, and who is due again for the rest."""

    reads: list[Range] = field(default_factory=list)
    hosts: dict[int, str] = field(default_factory=dict)
    again_at: dict[int, datetime] = field(default_factory=dict)


def compose(*, hosts: Mapping[str, Host], resting: Mapping[str, datetime], now: datetime, most: int) -> int:
    """Deal with at most so many players who are due; how many. `resting` says until when hosts are left alone."""
    due = pushes.due(now=now, most=most)
    known = standings.of(due) if due else {}
    later: dict[int, datetime] = {}
    reading: list[tuple[Standing, Host]] = []
    for standing in known.values():
        host = standing.host_among(hosts)
        if host is None or not standing.pushes:
            stop(player_id=standing.player_id, hosts=hosts)
        elif host.slug in resting:
            later[standing.player_id] = _spread(resting[host.slug], REST_SPREAD_S)
        else:
            reading.append((standing, host))
    if reading:
        _deal_with(reading, now, later)
    if later:
        pushes.put_off(later)
    return len(due)


def stop(*, player_id: int, hosts: Mapping[str, Host]) -> None:
    """Tell a player nothing any more, if that is still so under the feed's lock: they may have changed their mind."""
    with transaction.atomic(durable=True):
        pushes.lock(player_id)
        standing = standings.of([player_id]).get(player_id)
        if standing is None or standing.host_among(hosts) is None or not standing.pushes:
            pushes.turn_off(player_id)


def _deal_with(reading: Sequence[tuple[Standing, Host]], now: datetime, later: dict[int, datetime]) -> None:
    unread = pushes.events_of([standing.unread for standing, _ in reading], most=MOST_EVENTS)
    online = presence.ask([standing.player_id for standing, _ in reading]).online
    dealt = _Dealt()
    for (standing, host), found in zip(reading, unread, strict=True):
        player, told = standing.player_id, news(standing, found=found, now=now)
        if not told:
            dealt.reads.append(standing.unread)
        elif player in online:
            _let_see(standing, told, now, dealt, later)
        elif quiet_until := standing.quiet_until(now):
            later[player] = _spread(quiet_until, SPREAD_S)
        else:
            dealt.reads.append(standing.unread)
            dealt.hosts[player] = host.slug
    if dealt.reads:
        _write(dealt, now, later)


def news(standing: Standing, *, found: Sequence[Told], now: datetime) -> list[Told]:
    """Of a player's events those that they are told of."""
    wishes, player = standing.wishes, str(standing.public_id)
    return telling.chosen(found, events.TELLING, player=player, muted=wishes.muted, now=now)


def _let_see(
    standing: Standing, told: Sequence[Told], now: datetime, dealt: _Dealt, later: dict[int, datetime]
) -> None:
    """Who is online sees for themselves, on their socket."""
    seen = [event.seq for event in told if event.at <= now - SEEN_AFTER]
    unseen = [event.at + SEEN_AFTER for event in told if event.at > now - SEEN_AFTER]
    if not seen:
        later[standing.player_id] = unseen[0]
    elif unseen:
        dealt.reads.append(standing.unread._replace(upto=max(seen)))
        dealt.again_at[standing.player_id] = unseen[0]
    else:
        dealt.reads.append(standing.unread)


def _write(dealt: _Dealt, now: datetime, later: dict[int, datetime]) -> None:
    """The pushes, in the transaction that says that these events are taken care of."""
    with transaction.atomic(durable=True):
        moved = pushes.taken(dealt.reads, again_at=dealt.again_at)
        Push.objects.bulk_create(
            Push(player_id=player, host=dealt.hosts[player], after=after, upto=upto, expires_at=now + WORTH)
            for player, after, upto in dealt.reads
            if player in moved and player in dealt.hosts
        )
    later.update({player: now + AGAIN for player, _, _ in dealt.reads if player not in moved})


def _spread(at: datetime, within_s: int) -> datetime:
    """A while after `at`, for nobody knows how many wait for the same."""
    return at + timedelta(seconds=secrets.randbelow(within_s * 1000) / 1000)
