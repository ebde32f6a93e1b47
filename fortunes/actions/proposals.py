"""Proposals on their way to the vote: drafted, opened, extended, cancelled. How a vote ends is in `closing`.

What concerns an opened proposal happens under the exclusive gate of its campaign: so two that contradict each other
can't be opened at once, and none is opened while the deadline passes.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NotRequired, TypedDict, TypeVar, Unpack

import msgspec
from django.db import transaction

from fortunes import answers, audit, clock, deadletters, errors, events, gate
from fortunes.actions import closing, judging
from fortunes.actions.judging import OptionPlan
from fortunes.models import Campaign, DeadLetter, Option, Proposal

T = TypeVar("T")

State = Proposal.State

MAJORITY_BP = 5000
# Staff wait so long for who is in the gate, and are told then that the server is busy.
TRIES = 10
PAUSE_S = 0.2
# With the options, what a draft is.
WRITTEN = ("question_zh", "question_en", "opens_at", "closes_at", "quorum", "threshold_bp", "may_change")


class Motion(TypedDict):
    """What staff write."""

    question_zh: str
    question_en: str
    options: Sequence[OptionPlan]
    opens_at: datetime
    closes_at: datetime
    # Ballots at least.
    quorum: NotRequired[int]
    # The share of the ballots, in hundredths of a percent, that the winner has to exceed.
    threshold_bp: NotRequired[int]
    # Whether a player may vote again.
    may_change: NotRequired[bool]


def draft(*, campaign_id: int, by: int | None, **motion: Unpack[Motion]) -> Proposal:
    """A new draft, which nobody but staff sees. Raises CampaignNotFound or InvalidProposal."""
    with transaction.atomic(durable=True):
        return draft_within(campaign_id=campaign_id, by=by, **motion)


def draft_within(*, campaign_id: int, by: int | None, **motion: Unpack[Motion]) -> Proposal:
    """`draft` as a part of the caller's transaction: a preset makes a campaign together with its first motion."""
    if not Campaign.objects.filter(pk=campaign_id).exists():
        raise errors.CampaignNotFound
    return _write(Proposal(campaign_id=campaign_id, drafted_by_id=by), by, "drafted", motion)


def edit(*, proposal_id: int, by: int | None, seen: str | None = None, **motion: Unpack[Motion]) -> Proposal:
    """Write a draft anew, all of it; if `seen` is given, only the draft that has this fingerprint.

    Raises ProposalNotFound, ProposalState, ProposalChanged or InvalidProposal.
    """
    with transaction.atomic(durable=True):
        proposal = _locked(proposal_id)
        _require(proposal, proposal.state == State.DRAFT)
        _require_seen(proposal, seen)
        Option.objects.filter(proposal=proposal).delete()
        return _write(proposal, by, "edited", motion)


def _write(proposal: Proposal, by: int | None, what: str, motion: Motion) -> Proposal:
    proposal.question_zh, proposal.question_en = motion["question_zh"], motion["question_en"]
    proposal.opens_at, proposal.closes_at = motion["opens_at"], motion["closes_at"]
    proposal.quorum = motion.get("quorum", 1)
    proposal.threshold_bp = motion.get("threshold_bp", MAJORITY_BP)
    proposal.may_change = motion.get("may_change", False)
    judging.require_draft(proposal, options=motion["options"])
    proposal.save()
    Option.objects.bulk_create(
        Option(
            proposal=proposal,
            number=number,
            name_zh=plan.name_zh,
            name_en=plan.name_en,
            changes=dict(plan.changes),
            strikes_id=plan.strikes,
            compensations={role: dict(promised) for role, promised in plan.compensations.items()},
        )
        for number, plan in enumerate(motion["options"], start=1)
    )
    _record(proposal, by, what, options=len(motion["options"]))
    return proposal


def open_(
    *, proposal_id: int, by: int | None, seen: str | None = None, check: Callable[[Proposal], None] | None = None
) -> Proposal:
    """Put a draft to the vote: players see it from now on, and vote from `opens_at` on, which is now if it has passed.

    If `seen` is given, only the draft that has this fingerprint. `check` is what apps above have to say against it, by
    raising, while nothing can change any more. Raises ProposalNotFound, ProposalState, ProposalChanged,
    CampaignNotLive, CampaignFrozen, InvalidProposal, RuleChangeImpossible, ProposalConflict or Busy.
    """

    def act() -> Proposal:
        proposal = _locked(proposal_id)
        _require(proposal, proposal.state == State.DRAFT)
        _require_seen(proposal, seen)
        now = clock.now()
        proposal.opens_at = max(proposal.opens_at, now)
        judging.require_openable(proposal, now=now)
        if check is not None:
            check(proposal)
        proposal.state, proposal.opened_at, proposal.opened_by_id = State.OPEN, now, by
        proposal.save(update_fields=["state", "opens_at", "opened_at", "opened_by"])
        _tell(
            proposal,
            events.ProposalOpened(
                proposal=str(proposal.public_id),
                opens_at=answers.instant(proposal.opens_at),
                closes_at=answers.instant(proposal.closes_at),
            ),
        )
        _record(proposal, by, "opened", closes_at=answers.instant(proposal.closes_at))
        return proposal

    return _alone(proposal_id, act)


def extend(*, proposal_id: int, closes_at: datetime, by: int | None) -> Proposal:
    """Take ballots for longer. Raises ProposalNotFound, ProposalState once it has closed, InvalidProposal or Busy."""

    def act() -> Proposal:
        proposal = _locked(proposal_id)
        _require(proposal, proposal.state == State.OPEN and clock.now() < proposal.closes_at)
        judging.require_extendable(proposal, closes_at=closes_at)
        former, proposal.closes_at = proposal.closes_at, closes_at
        proposal.save(update_fields=["closes_at"])
        told = answers.instant(closes_at)
        _tell(proposal, events.ProposalExtended(proposal=str(proposal.public_id), closes_at=told))
        _record(proposal, by, "extended", closes_at=told, former=answers.instant(former))
        return proposal

    return _alone(proposal_id, act)


def cancel(*, proposal_id: int, reason_zh: str, reason_en: str, by: int | None) -> Proposal:
    """End a vote without a result, or throw a draft away. Players are told why.

    Not once it has closed: nobody may undo a result by looking at it first. Except one that can't be counted.
    Raises ProposalNotFound, ProposalState, InvalidProposal or Busy.
    """

    def act() -> Proposal:
        proposal = _locked(proposal_id)
        _require(proposal, _may_be_cancelled(proposal))
        judging.require_reason(reason_zh=reason_zh, reason_en=reason_en)
        was_public = proposal.state != State.DRAFT
        proposal.state, proposal.cancelled_at = State.CANCELLED, clock.now()
        proposal.reason_zh, proposal.reason_en, proposal.given_up_at = reason_zh, reason_en, None
        proposal.save(update_fields=["state", "cancelled_at", "reason_zh", "reason_en", "given_up_at"])
        deadletters.settle(job=closing.JOB, subject_id=proposal.pk, by=by, outcome=DeadLetter.Outcome.DISMISSED)
        if was_public:
            _tell(proposal, events.ProposalCancelled(proposal=str(proposal.public_id)))
        _record(proposal, by, "cancelled")
        return proposal

    return _alone(proposal_id, act)


def _may_be_cancelled(proposal: Proposal) -> bool:
    if proposal.given_up_at is not None:
        return True
    return proposal.state == State.DRAFT or (proposal.state == State.OPEN and clock.now() < proposal.closes_at)


def _alone(proposal_id: int, act: Callable[[], T]) -> T:
    """`act` in a durable transaction of its own, with the campaign's gate shut. Raises ProposalNotFound or Busy."""
    campaign_id = Proposal.objects.filter(pk=proposal_id).values_list("campaign", flat=True).first()
    if campaign_id is None:
        raise errors.ProposalNotFound
    for _ in range(TRIES):
        try:
            with transaction.atomic(durable=True):
                gate.close(campaign_id)
                return act()
        except gate.Held:
            time.sleep(PAUSE_S)
    raise errors.Busy(retry_after_s=5)


def _locked(proposal_id: int) -> Proposal:
    found = Proposal.objects.select_for_update(of=("self",)).select_related("campaign").filter(pk=proposal_id).first()
    if found is None:
        raise errors.ProposalNotFound
    return found


def _require(proposal: Proposal, fits: bool) -> None:
    if not fits:
        raise errors.ProposalState(state=proposal.state)


def fingerprint(proposal: Proposal) -> str:
    """Of all that staff have written of a proposal: another one once somebody has written it anew."""
    written = [str(getattr(proposal, name)) for name in WRITTEN]
    options = Option.objects.filter(proposal=proposal).order_by("number")
    rows = options.values_list("name_zh", "name_en", "changes", "strikes", "compensations")
    return hashlib.sha256(msgspec.json.encode([written, list(rows)], order="sorted")).hexdigest()


def _require_seen(proposal: Proposal, seen: str | None) -> None:
    if seen is not None and seen != fingerprint(proposal):
        raise errors.ProposalChanged


def _tell(proposal: Proposal, news: msgspec.Struct) -> None:
    events.broadcast(campaign_id=proposal.campaign_id, payload=news)


def _record(proposal: Proposal, by: int | None, what: str, **data: object) -> None:
    audit.record(
        actor=by, action=f"proposal.{what}", subject="fortunes.proposal", subject_id=proposal.pk,
        campaign=proposal.campaign_id, **data,
    )  # fmt: skip
