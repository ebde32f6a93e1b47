"""Events: facts for one player, and broadcasts: facts for everybody in a campaign.

Every type is a msgspec.Struct registered with `@event("...")`, so each has one schema (docs/realtime.md lists them and
a test compares). Payloads hold public ids, slugs, enums and numbers only. The type also says whether players who are
away are told of it by their host app (docs/push.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from django.db import transaction
from psycopg.types.json import Jsonb

from fortunes import doorbell, sql

T = TypeVar("T", bound=type[msgspec.Struct])


@dataclass(frozen=True, slots=True)
class Telling:
    """How players who are away are told of an event: not at all unless `pushed`, and never of what they did themselves.

    `by` names the field with the public id of whoever did it. `about` names the field with the id of what it is about:
    of several events about one thing the newest says it all.
    """

    pushed: bool = False
    by: str | None = None
    about: str | None = None


TYPES: dict[str, type[msgspec.Struct]] = {}
TELLING: dict[str, Telling] = {}
_NAMES: dict[type[msgspec.Struct], str] = {}


def event(name: str, *, pushed: bool = False, by: str | None = None, about: str | None = None) -> Callable[[T], T]:
    """Register a payload's type under the name that clients see, with how it is told: see `Telling`."""

    def register(payload: T) -> T:
        if name in TYPES:
            raise ValueError(f"event type {name} is registered twice")
        if missing := {by, about} - {None, *payload.__struct_fields__}:
            raise ValueError(f"event type {name} has no field {missing}")
        TYPES[name], TELLING[name] = payload, Telling(pushed, by, about)
        _NAMES[payload] = name
        return payload

    return register


def append(*, campaign_id: int | None, entries: Sequence[tuple[int, msgspec.Struct]]) -> dict[int, int]:
    """Write events for (player id, payload) pairs; the newest seq of each player.

    The last statement of a transaction: it takes the feeds' locks, in ascending player id, and holds them to the end.
    """
    _require_transaction()
    rows = sql.fetch(
        "SELECT * FROM fortunes_append_events("
        "%(campaign)s::bigint, %(players)s::bigint[], %(types)s::text[], %(data)s::jsonb[])",
        {
            "campaign": campaign_id,
            "players": [player for player, _ in entries],
            "types": [_NAMES[type(payload)] for _, payload in entries],
            "data": [Jsonb(msgspec.to_builtins(payload)) for _, payload in entries],
        },
    )
    newest = {row.player: row.seq for row in rows}
    doorbell.ring_after_commit(players=newest)
    return newest


def broadcast(*, campaign_id: int, payload: msgspec.Struct) -> int:
    """Write one fact for everybody in a campaign; its seq. The last statement of a transaction, like `append`."""
    _require_transaction()
    params = {
        "campaign": campaign_id,
        "type": _NAMES[type(payload)],
        "data": Jsonb(msgspec.to_builtins(payload)),
    }
    row = sql.fetch("SELECT fortunes_append_broadcast(%(campaign)s, %(type)s, %(data)s) AS seq", params)[0]
    doorbell.ring_after_commit(campaigns={campaign_id: row.seq})
    seq: int = row.seq
    return seq


def _require_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("an event is written in the transaction of its fact")


@event("campaign.opened")
class CampaignOpened(msgspec.Struct, frozen=True, kw_only=True):
    """The season has been opened by its operators; it is live from `opens_at`."""

    campaign: str
    opens_at: str
    closes_at: str


@event("campaign.frozen")
class CampaignFrozen(msgspec.Struct, frozen=True, kw_only=True):
    """The freeze has been stamped: nothing that comes after it counts."""

    campaign: str
    frozen_at: str


@event("campaign.settled")
class CampaignSettled(msgspec.Struct, frozen=True, kw_only=True):
    """The pool has been split; packets can be opened from `reveal_at`."""

    campaign: str
    winners: int
    reveal_at: str


@event("rule.announced")
class RuleAnnounced(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the rules has been announced; it takes force then, unless a vote strikes it before."""

    amendment: str
    takes_force_at: str


@event("rulebook.changed")
class RulebookChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of this version are in force since `in_force_at`; `paths` are JSON Pointers to what they changed.

    `closes_at` is the deadline from now on. `proposal` or `amendment` is the vote or the announcement that it comes of.
    """

    version: int
    reason: str
    in_force_at: str
    closes_at: str
    proposal: str | None
    amendment: str | None
    paths: list[str]


@event("proposal.opened")
class ProposalOpened(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal is put to the vote: ballots are taken from `opens_at` on and before `closes_at`."""

    proposal: str
    opens_at: str
    closes_at: str


@event("proposal.extended")
class ProposalExtended(msgspec.Struct, frozen=True, kw_only=True):
    """Ballots are taken for longer than was said."""

    proposal: str
    closes_at: str


@event("proposal.cancelled")
class ProposalCancelled(msgspec.Struct, frozen=True, kw_only=True):
    """A vote ends without a result; the proposal says why."""

    proposal: str


@event("proposal.closed")
class ProposalClosed(msgspec.Struct, frozen=True, kw_only=True):
    """A vote is decided. There is a `winner` only if it was adopted, and a `version` if its changes made a new one."""

    proposal: str
    outcome: str
    winner: int | None
    cast: int
    eligible: int
    version: int | None


@event("announcement.published")
class AnnouncementPublished(msgspec.Struct, frozen=True, kw_only=True):
    """Staff tell everybody something; the list of announcements says what."""

    announcement: str
    pinned: bool


@event("announcement.withdrawn")
class AnnouncementWithdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """What staff had told everybody is not listed any more."""

    announcement: str


@event("comment.answered")
class CommentAnswered(msgspec.Struct, frozen=True, kw_only=True):
    """Staff reply to a comment: `comment` is the reply, `answers` what it replies to."""

    proposal: str
    comment: str
    answers: str


@event("comment.moderated")
class CommentModerated(msgspec.Struct, frozen=True, kw_only=True):
    """Staff have hidden a comment from everybody but its author, or show it again."""

    proposal: str
    comment: str
    hidden: bool
