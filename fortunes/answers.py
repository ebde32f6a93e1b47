"""What the ground answers over REST."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from fortunes.models import Campaign, Comment, Rulebook


class Name(msgspec.Struct, frozen=True, kw_only=True):
    """A name in both languages."""

    zh: str
    en: str


class CampaignAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign; `server_time` is the database's clock, by which every instant is judged."""

    id: UUID
    slug: str
    name: Name
    phase: str
    tz: str
    opens_at: str
    closes_at: str
    reveal_at: str
    server_time: str


class Campaigns(msgspec.Struct, frozen=True, kw_only=True):
    items: list[CampaignAnswer]


class RuleChange(msgspec.Struct, frozen=True, kw_only=True):
    """One member of the rules, by its JSON Pointer, that is another than before; null where there is none."""

    path: str
    before: Any
    after: Any


class RulebookRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One version of the rulebook: what it changed, and why.

    `reason` is `start`, `staff` or `vote`. `proposal` is the vote that decided it, `amendment` the announcement whose
    date came.
    """

    version: int
    reason: str
    in_force_at: str
    changes: list[RuleChange]
    proposal: UUID | None
    amendment: UUID | None


class RulesAnswer(RulebookRecord, frozen=True, kw_only=True):
    """A version with its rules: weights (the published odds), caps, quotas, what makes a full set, and the others."""

    rules: dict[str, Any]


class AmendmentAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the rules that is announced for a date.

    `state` is `announced`, `in-force`, `struck` by a vote, or `impossible`, since other changes came before it.
    `changes` are those that it made, or would make to the rules in force; `patch` is what was announced, a JSON Merge
    Patch of the rules.
    """

    id: UUID
    name: Name
    state: str
    takes_force_at: str
    announced_at: str
    ended_at: str | None
    version: int | None
    struck_by: UUID | None
    changes: list[RuleChange]
    patch: dict[str, Any]


class BallotReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """A ballot: `receipt`, which only its player is told, and `leaf`, which is published, in hex.

    `changed` says that this ballot has replaced another one.
    """

    proposal: UUID
    option: int
    receipt: str
    leaf: str
    cast_at: str
    changed: bool


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Ballots by the option's number, exact at that instant."""

    ballots: dict[str, int]
    cast: int
    at: str


class TallyChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The tally of a vote that a socket watches."""

    proposal: UUID
    ballots: dict[str, int]
    cast: int
    at: str


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """What is published of one ballot: SHA-256(proposal ‖ receipt ‖ option) in hex, and the option's number."""

    leaf: str
    option: int


class AnnouncementAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What staff tell everybody in a campaign. Pinned ones are on top of the list."""

    id: UUID
    title: Name
    body: Name
    pinned: bool
    published_at: str


class AuthorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who wrote a comment; the nickname may be empty."""

    id: UUID
    nickname: str


class QuotedComment(msgspec.Struct, frozen=True, kw_only=True):
    """What a reply answers."""

    id: UUID
    author: AuthorAnswer
    text: str


class CommentAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A comment under a proposal. One by `staff` is the organiser's, without an author, and says what it `answers` if
    that is still there. One that is `hidden` is shown to its author alone. `own` says that you may delete it.
    """

    id: UUID
    author: AuthorAnswer | None
    staff: bool
    text: str
    answers: QuotedComment | None
    at: str
    own: bool
    hidden: bool


def instant(at: datetime) -> str:
    """RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def rulebook(row: Rulebook) -> RulebookRecord:
    return RulebookRecord(
        version=row.version,
        reason=row.reason,
        in_force_at=instant(row.in_force_at),
        changes=rule_changes(row.changes),
        proposal=row.proposal.public_id if row.proposal else None,
        amendment=row.amendment.public_id if row.amendment else None,
    )


def rule_changes(changes: Any) -> list[RuleChange]:
    """Of what a version has stored, or of `fortunes.amending.changes`."""
    return msgspec.convert(changes, list[RuleChange], from_attributes=True)


def campaign(row: Campaign, now: datetime) -> CampaignAnswer:
    return CampaignAnswer(
        id=row.public_id,
        slug=row.slug,
        name=Name(zh=row.name_zh, en=row.name_en),
        phase=str(row.phase(now)),
        tz=row.tz,
        opens_at=instant(row.opens_at),
        closes_at=instant(row.closes_at),
        reveal_at=instant(row.reveal_at),
        server_time=instant(now),
    )


def announcement(row: Any) -> AnnouncementAnswer:
    """A row of `fortunes/sql/announcements.sql`."""
    return AnnouncementAnswer(
        id=row.public_id,
        title=Name(zh=row.title_zh, en=row.title_en),
        body=Name(zh=row.body_zh, en=row.body_en),
        pinned=row.pinned,
        published_at=instant(row.published_at),
    )


def comment(row: Comment, answered: QuotedComment | None, *, seen_by: int | None) -> CommentAnswer:
    return CommentAnswer(
        id=row.public_id,
        author=None if row.by_staff else _author(row),
        staff=row.by_staff,
        text=row.text,
        answers=answered,
        at=instant(row.at),
        own=row.player_id == seen_by and not row.by_staff,
        hidden=row.hidden_at is not None,
    )


def quoted_comment(row: Comment) -> QuotedComment:
    return QuotedComment(id=row.public_id, author=_author(row), text=row.text)


def _author(row: Comment) -> AuthorAnswer:
    return AuthorAnswer(id=row.player.public_id, nickname=row.player.nickname)
