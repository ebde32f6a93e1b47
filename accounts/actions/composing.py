"""Who is due to be told of events gets a push for their host app, unless they have seen them or don't want to know.

Nothing is claimed here: whoever is first to move the number up to which a player was told has done it, and another who
read the same finds it moved (`fortunes.pushes.taken`). So each event is in one push at most, and in one at least if it
is news.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
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


def compose(*, hosts: Mapping[str, Host], resting: Mapping[str, datetime], now: datetime, most: int) -> int:
    """Deal with at most so many players who are due; how many. `resting` says until when hosts are left alone."""
    due = pushes.due(most=most)
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
    for (standing, host), found in zip(reading, unread, strict=True):
        told = news(standing, found=found, now=now)
        if not told:
            pushes.taken(standing.unread)
        elif standing.player_id in online:
            _let_see(standing, told, now, later)
        elif quiet_until := standing.quiet_until(now):
            later[standing.player_id] = _spread(quiet_until, SPREAD_S)
        else:
            _write(standing.unread, host, now)


def news(standing: Standing, *, found: Sequence[Told], now: datetime) -> list[Told]:
    """Of a player's events those that they are told of."""
    wishes, player = standing.wishes, str(standing.public_id)
    return telling.chosen(found, events.TELLING, player=player, muted=wishes.muted, now=now)


def _let_see(standing: Standing, told: Sequence[Told], now: datetime, later: dict[int, datetime]) -> None:
    """Who is online sees for themselves, on their socket."""
    seen = [event.seq for event in told if event.at <= now - SEEN_AFTER]
    unseen = [event.at + SEEN_AFTER for event in told if event.at > now - SEEN_AFTER]
    if seen:
        upto = max(seen) if unseen else standing.seq
        pushes.taken(standing.unread._replace(upto=upto), again_at=unseen[0] if unseen else None)
    else:
        later[standing.player_id] = unseen[0]


def _write(read: Range, host: Host, now: datetime) -> None:
    """The push, in the transaction that says that it is taken care of."""
    with transaction.atomic(durable=True):
        if pushes.taken(read):
            Push.objects.create(
                player_id=read.player_id, host=host.slug, after=read.after, upto=read.upto, expires_at=now + WORTH
            )


def _spread(at: datetime, within_s: int) -> datetime:
    """A while after `at`, for nobody knows how many wait for the same."""
    return at + timedelta(seconds=secrets.randbelow(within_s * 1000) / 1000)
