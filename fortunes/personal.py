"""What is held about a person: every app says what it has of a player, and erases what are a person's own words.

An app's `personal` module registers sections of the export and erasers; all of them are loaded when the process starts.
What the ground itself has is here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from fortunes.answers import instant
from fortunes.models import AuditEntry, Ballot, Comment, DatabaseNow, Event, Exclusion, IdempotencyKey, Membership

T = TypeVar("T")

# The rows of one section, about the player of this id, with public ids and slugs.
Section = Callable[[int], Iterator[dict[str, Any]]]
# Erases in the caller's transaction what an app has of this player's words.
Eraser = Callable[[int], None]

# Rows that are in memory at once.
BATCH = 500

_sections: dict[str, Section] = {}
_erasers: dict[str, Eraser] = {}


def section(name: str) -> Callable[[Section], Section]:
    """Register a section of the export."""

    def register(rows: Section) -> Section:
        if name in _sections:
            raise ValueError(f"section {name} is registered twice")
        _sections[name] = rows
        return rows

    return register


def eraser(app: str) -> Callable[[Eraser], Eraser]:
    """Register what an app erases."""

    def register(erase: Eraser) -> Eraser:
        if app in _erasers:
            raise ValueError(f"{app} erases twice")
        _erasers[app] = erase
        return erase

    return register


def sections() -> dict[str, Section]:
    """All of them by name, in the order of their names."""
    return dict(sorted(_sections.items()))


def erase(player_id: int) -> None:
    """Let every app erase its part, in the caller's transaction: `accounts.actions.erasure`."""
    for app in sorted(_erasers):
        _erasers[app](player_id)


def batches(rows: Iterable[T]) -> Iterator[list[T]]:
    """A few hundred at a time, for what is described by the batch."""
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH)):
        yield batch


@section("memberships")
def _memberships(player_id: int) -> Iterator[dict[str, Any]]:
    rows = Membership.objects.filter(player=player_id).order_by("campaign_id")
    for slug, joined_at in rows.values_list("campaign__slug", "joined_at"):
        yield {"campaign": slug, "joined_at": instant(joined_at)}


@section("exclusions")
def _exclusions(player_id: int) -> Iterator[dict[str, Any]]:
    rows = Exclusion.objects.filter(player=player_id).order_by("campaign_id")
    for slug, reason, at in rows.values_list("campaign__slug", "reason", "at"):
        yield {"campaign": slug, "reason": reason, "at": instant(at)}


@section("events")
def _events(player_id: int) -> Iterator[dict[str, Any]]:
    rows = Event.objects.filter(player=player_id).order_by("seq")
    columns = rows.values_list("seq", "type", "campaign__slug", "data", "at")
    for seq, event, slug, data, at in columns.iterator(chunk_size=BATCH):
        yield {"seq": seq, "event": event, "campaign": slug, "data": data, "at": instant(at)}


@section("audit")
def _audit(player_id: int) -> Iterator[dict[str, Any]]:
    """What staff did to this player."""
    rows = AuditEntry.objects.filter(subject="accounts.player", subject_id=player_id).order_by("seq")
    for action, at in rows.values_list("action", "at").iterator(chunk_size=BATCH):
        yield {"action": action, "at": instant(at)}


@section("ballots")
def _ballots(player_id: int) -> Iterator[dict[str, Any]]:
    """With the receipts: whoever reads the export can show what they voted for."""
    rows = Ballot.objects.filter(player=player_id).order_by("at", "pk")
    columns = rows.values_list("proposal__public_id", "option", "receipt", "at")
    for proposal, option, receipt, at in columns.iterator(chunk_size=BATCH):
        yield {"proposal": proposal, "option": option, "receipt": bytes(receipt).hex(), "at": instant(at)}


@section("comments")
def _comments(player_id: int) -> Iterator[dict[str, Any]]:
    """What they wrote under proposals and haven't deleted, hidden or not."""
    rows = Comment.objects.filter(player=player_id, deleted_at=None).order_by("at", "pk")
    columns = rows.values_list("public_id", "proposal__public_id", "text", "by_staff", "at", "hidden_at")
    for comment, proposal, text, by_staff, at, hidden_at in columns.iterator(chunk_size=BATCH):
        yield {
            "id": comment,
            "proposal": proposal,
            "text": text,
            "staff": by_staff,
            "at": instant(at),
            "hidden": hidden_at is not None,
        }


@eraser("fortunes")
def _erase(player_id: int) -> None:
    """What they wrote under proposals goes as if they had deleted it. Idempotency keys are chosen by the client."""
    Comment.objects.filter(player=player_id, deleted_at=None).update(text="", deleted_at=DatabaseNow())
    IdempotencyKey.objects.filter(player=player_id).delete()
