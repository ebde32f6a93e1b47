"""How players stand to being told of events while they are away: whether at all, by whom, and when not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from accounts import quiet, webhooks
from accounts.quiet import Hours
from fortunes import sql
from fortunes.pushes import Range


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a player wants to be told."""

    enabled: bool
    muted: frozenset[str]
    hours: Hours | None
    tz: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One player. `host` and `subject` are the app they came from and who they are there; null for everybody else.

    `pushes`, `seq` and `pushed_seq` are their feed's.
    """

    player_id: int
    public_id: UUID
    is_active: bool
    pushes: bool
    seq: int
    pushed_seq: int
    host: str | None
    subject: str | None
    wishes: Wishes

    @property
    def unread(self) -> Range:
        """The events that they haven't been told of."""
        return Range(self.player_id, self.pushed_seq, self.seq)

    def host_among(self, hosts: Mapping[str, webhooks.Host]) -> webhooks.Host | None:
        """Whose push service tells them; None if they are to be told nothing."""
        wanted = self.is_active and self.wishes.enabled
        return hosts.get(self.host) if wanted and self.host else None

    def quiet_until(self, now: datetime) -> datetime | None:
        return quiet.until(now, self.wishes.hours, self.wishes.tz)


def by_default() -> Wishes:
    """What a player has who hasn't chosen."""
    return Wishes(True, frozenset(), quiet.parse(settings.PUSH_QUIET_HOURS), settings.PUSH_TIME_ZONE)


def of(players: Collection[int]) -> dict[int, Standing]:
    """The standings of those players who have a feed, by id."""
    rows = sql.fetch(sql.text("accounts", "push_standings"), {"players": list(players)})
    default = by_default()
    found = {}
    for row in rows:
        own = row.enabled is not None
        hours = Hours(row.quiet_from, row.quiet_to) if row.quiet_from is not None else None
        wishes = Wishes(row.enabled, frozenset(row.muted), hours, row.tz) if own else default
        feed = {"pushes": row.pushes, "seq": row.seq, "pushed_seq": row.pushed_seq}
        there = {"host": row.host, "subject": row.subject, "wishes": wishes, **feed}
        found[row.player_id] = Standing(row.player_id, row.public_id, row.is_active, **there)
    return found
