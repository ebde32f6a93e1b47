"""Proposals as players see them: their options, with what each would change, the tally, and the result.

Beside answers.py, whose structs it uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from fortunes import amending, errors, rules
from fortunes.answers import Name, RuleChange, instant, rule_changes
from fortunes.models import Option, Proposal

State = Proposal.State


class CompensationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of each card held of a special kind that an option removes: `wild`, `fortune` or `fen`."""

    role: str
    into: str
    amount_fen: int | None


class OptionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One of a proposal's answers.

    `changes` are what it would change, or has changed, `patch` the same as a JSON Merge Patch of the rules. `strikes`
    is the announced change that it prevents. `ballots` are those for it, exact at the answer's `server_time`.
    """

    number: int
    name: Name
    changes: list[RuleChange]
    patch: dict[str, Any]
    strikes: UUID | None
    compensations: list[CompensationAnswer]
    ballots: int


class VoteResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a vote ended: `adopted`, `no-quorum`, `below-threshold`, `tie` or `impossible`.

    Only an adopted one has a `winner`, and a `version` if its changes made a new one. `ballots_hash` is the SHA-256 of
    all leaves in ascending order, in hex.
    """

    outcome: str
    winner: int | None
    version: int | None
    eligible: int
    cast: int
    ballots_hash: str
    closed_at: str


class VoteAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal that is or was put to the vote. `state` is `scheduled`, `open`, `counting`, `closed` or `cancelled`.

    `quorum` is the least number of ballots, `threshold_bp` the share of them, in hundredths of a percent, that the
    winner has to exceed. Who joined the campaign before `opens_at` may vote. `mine` is the option that you voted for,
    null also for those who aren't signed in. `reason` says why it was cancelled.
    """

    id: UUID
    campaign: str
    question: Name
    state: str
    opens_at: str
    closes_at: str
    quorum: int
    threshold_bp: int
    may_change: bool
    options: list[OptionAnswer]
    cast: int
    mine: int | None
    result: VoteResult | None
    reason: Name | None
    server_time: str


def shown(*, public_id: UUID) -> Proposal:
    """A proposal as players may see it: drafts are the staff's. Raises ProposalNotFound."""
    proposal = Proposal.objects.filter(public_id=public_id, opened_at__isnull=False).select_related("campaign").first()
    if proposal is None:
        raise errors.ProposalNotFound
    return proposal


def state(row: Proposal, now: datetime) -> str:
    """What players are told: by the clock, not by when a worker has come."""
    if row.state != State.OPEN:
        return str(row.state)
    if now < row.opens_at:
        return "scheduled"
    return "open" if now < row.closes_at else str(State.COUNTING)


def result(row: Proposal, version: int | None) -> VoteResult | None:
    if row.outcome is None or row.closed_at is None:
        return None
    return VoteResult(
        outcome=row.outcome,
        winner=row.winner,
        version=version,
        eligible=row.eligible or 0,
        cast=row.cast or 0,
        ballots_hash=bytes(row.ballots_hash or b"").hex(),
        closed_at=instant(row.closed_at),
    )


def option(row: Option, before: rules.Rules, ballots: int) -> OptionAnswer:
    """An option, with what it changes in the rules `before`."""
    return OptionAnswer(
        number=row.number,
        name=Name(zh=row.name_zh, en=row.name_en),
        changes=rule_changes(_changes(before, row.changes)),
        patch=row.changes,
        strikes=row.strikes.public_id if row.strikes else None,
        compensations=[
            CompensationAnswer(role=role, into=promised["into"], amount_fen=promised.get("amount_fen"))
            for role, promised in sorted(row.compensations.items())
        ],
        ballots=ballots,
    )


def _changes(before: rules.Rules, patch: Mapping[str, Any]) -> list[amending.Change]:
    """None where it isn't possible any more; its patch still says what it was about."""
    try:
        return amending.changes(before, amending.merged(before, patch))
    except rules.RulesError:
        return []
