"""The close of a vote, in three steps of one durable transaction each: stop, count, decide.

1. Under the exclusive gate: from its instant on no ballot is taken. Whatever had passed the gate has committed.
2. Without the gate, since nothing of it changes any more: the ballots are counted, and their leaves hashed in order.
3. Under the gate again: the count is compared with the shards, the vote decided, and what it has decided is done.

Any number of workers may call them, and each may die between any two statements: the proposal's state says what has
committed, nothing says "in progress", and the count is handed on and kept nowhere until it is part of the result. Order
of locks: gate → proposal → rulebook, campaign → amendment → options → feed → audit.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q, QuerySet, Sum

from fortunes import audit, clock, deadletters, describing, errors, events, gate, sql, tally
from fortunes.actions import ballots, rulechanges
from fortunes.actions.ballots import Counted
from fortunes.models import Amendment, BallotCount, DatabaseNow, Option, Proposal, Rulebook
from fortunes.sentences import Sentence

logger = logging.getLogger(__name__)

State, Outcome = Proposal.State, Proposal.Outcome
UNDECIDED = rulechanges.UNDECIDED

# A vote whose close won't succeed by itself is a dead letter of this name.
JOB = "fortunes.closing"

# After so many failures nobody tries any more: that would only hide it.
MAX_ATTEMPTS = 20
# Who finds the gate held tries again in 200 ms, for some two seconds; then beat rings again.
TRIES = 4
PAUSE_S = 0.2
# The advisory lock, with the proposal's id, of the one worker that closes it.
ONE_WORKER = 5528


class Mismatch(Exception):
    """The ballots don't add up. Nothing was decided, and nobody tries again until somebody has looked."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What comes of a vote: the new version of the rules if there is one, or why what was adopted is impossible."""

    counted: Counted
    outcome: str
    winner: int | None
    rulebook: Rulebook | None = None
    impossible: Sentence | None = None


def close_due() -> None:
    """Close every vote whose time has come, in the order of their instants. One that fails holds up no other."""
    due = Q(state=State.COUNTING) | Q(state=State.OPEN, closes_at__lte=DatabaseNow())
    found = Proposal.objects.filter(due, given_up_at=None).order_by("closes_at", "pk")
    for proposal in found.values_list("pk", flat=True):
        try:
            close(proposal_id=proposal)
        except gate.Held:
            logger.info("proposal %s waits for the gate", proposal)
        except Exception as error:
            if isinstance(error, (OperationalError, InterfaceError)) and not connection.is_usable():
                # No database: nobody gets any further, nothing was changed, and the next ring finds the same work.
                raise
            _note_failure(proposal, error)


def close(*, proposal_id: int) -> bool:
    """Take one vote through what is left of its close; False while another worker is at it.

    Raises gate.Held where the gate isn't to be had, or Mismatch.
    """
    with _one_worker(proposal_id) as mine:
        if mine:
            if Proposal.objects.filter(pk=proposal_id, state=State.OPEN).exists():
                _patiently(lambda: stop(proposal_id=proposal_id))
            counted = count(proposal_id=proposal_id)
            if counted is not None:
                _patiently(lambda: decide(proposal_id=proposal_id, counted=counted))
    return mine


def stop(*, proposal_id: int) -> None:
    """The first step: no more ballots, if its time has come by the clock that judges them. Harmless when repeated."""
    with transaction.atomic(durable=True):
        gate.close(_campaign_of(proposal_id))
        # Not one that was extended or cancelled meanwhile.
        due = Proposal.objects.filter(pk=proposal_id, state=State.OPEN, closes_at__lte=DatabaseNow())
        due.update(state=State.COUNTING, counting_at=DatabaseNow(), attempts=0, last_error="")


def count(*, proposal_id: int) -> Counted | None:
    """The second step, which writes nothing; None if there is nothing to count (any more)."""
    proposal = Proposal.objects.filter(pk=proposal_id, state=State.COUNTING).first()
    return None if proposal is None else ballots.count(proposal=proposal)


def decide(*, proposal_id: int, counted: Counted) -> None:
    """The last step: the result, and all that it changes, at one instant. Harmless when repeated. Raises Mismatch."""
    with transaction.atomic(durable=True):
        gate.close(_campaign_of(proposal_id))
        proposal = _held(proposal_id)
        if proposal is None:
            return
        options = {option.number: option for option in Option.objects.filter(proposal=proposal)}
        _require_equal(proposal, options, counted)
        by_option = {number: counted.ballots.get(number, 0) for number in options}
        result = tally.decide(by_option, quorum=proposal.quorum, threshold_bp=proposal.threshold_bp)
        decision = Decision(counted, str(result.outcome), result.winner)
        if result.winner is not None:
            decision = _carry_out(proposal, options[result.winner], decision)
        _write(proposal, decision, by_option)
        _tell(proposal, decision)


def _held(proposal_id: int) -> Proposal | None:
    """The proposal, locked, if it is to be decided: of two workers the second finds it closed."""
    return Proposal.objects.select_for_update(no_key=True).filter(pk=proposal_id, state=State.COUNTING).first()


def _require_equal(proposal: Proposal, options: dict[int, Option], counted: Counted) -> None:
    """The rows and the counts that players have watched are written together; if they differ, something is broken."""
    shards = BallotCount.objects.filter(proposal=proposal).values_list("option").annotate(Sum("ballots"))
    shown = {option: ballots for option, ballots in shards if ballots}
    found = {option: ballots for option, ballots in counted.ballots.items() if ballots}
    if found != shown or not found.keys() <= options.keys():
        raise Mismatch(f"the rows are {found}, the counts {shown}, the options {sorted(options)}")
    if counted.cast > counted.eligible:
        raise Mismatch(f"{counted.cast} ballots, and {counted.eligible} may vote")


def _carry_out(proposal: Proposal, option: Option, adopted: Decision) -> Decision:
    """Do what was adopted: whole, or not at all if it isn't possible any more.

    Announced changes take force under the gate, too: what is pending now is so until the end of this transaction.
    """
    struck = _struck(option)
    if struck is not None and not struck.exists():
        return _impossible(adopted, Sentence("the announced change can't be struck any more"))
    if option.changes:
        try:
            rulebook = rulechanges.apply(
                campaign_id=proposal.campaign_id, patch=option.changes, reason=Rulebook.Reason.VOTE, by=None,
                proposal=proposal, compensations=option.compensations,
            )  # fmt: skip
        except errors.RuleChangeImpossible as refusal:
            return _impossible(adopted, refusal.why)
        adopted = replace(adopted, rulebook=rulebook)
    if struck is not None:
        struck.update(struck_at=DatabaseNow(), struck_by=proposal)
    return adopted


def _struck(option: Option) -> QuerySet[Amendment] | None:
    """What the option strikes, empty if it isn't pending any more; None if it strikes nothing."""
    if option.strikes_id is None:
        return None
    return Amendment.objects.filter(pk=option.strikes_id, applied_at=None, struck_at=None)


def _impossible(adopted: Decision, why: Sentence) -> Decision:
    return replace(adopted, outcome=str(Outcome.IMPOSSIBLE), winner=None, impossible=why)


def _write(proposal: Proposal, decision: Decision, by_option: dict[int, int]) -> None:
    changed = Proposal.objects.filter(pk=proposal.pk, state=State.COUNTING).update(
        state=State.CLOSED,
        closed_at=DatabaseNow(),
        outcome=decision.outcome,
        impossible=msgspec.to_builtins(decision.impossible),
        winner=decision.winner,
        eligible=decision.counted.eligible,
        cast=decision.counted.cast,
        ballots_hash=decision.counted.digest,
        attempts=0,
        last_error="",
    )
    if changed != 1:
        raise RuntimeError(f"proposal {proposal.pk} was closed while it was held")
    for number, ballots_of_it in by_option.items():
        Option.objects.filter(proposal=proposal, number=number).update(ballots=ballots_of_it)


def _tell(proposal: Proposal, decision: Decision) -> None:
    """One transaction's broadcasts, and the audit's entry last."""
    result: dict[str, Any] = {
        "outcome": decision.outcome,
        "winner": decision.winner,
        "cast": decision.counted.cast,
        "eligible": decision.counted.eligible,
        "version": decision.rulebook.version if decision.rulebook else None,
    }
    news: list[msgspec.Struct] = [events.ProposalClosed(proposal=str(proposal.public_id), **result)]
    if decision.rulebook:
        news.append(rulechanges.news(decision.rulebook))
    for payload in news:
        events.broadcast(campaign_id=proposal.campaign_id, payload=payload)
    audit.record(
        actor=None, action="proposal.closed", subject="fortunes.proposal", subject_id=proposal.pk,
        campaign=proposal.campaign_id, hash=decision.counted.digest.hex(), **result,
    )  # fmt: skip


def _campaign_of(proposal_id: int) -> int:
    return Proposal.objects.values_list("campaign_id", flat=True).get(pk=proposal_id)


def _patiently(step: Callable[[], None]) -> None:
    """`step`, and again where the gate is held. Raises gate.Held after the last try."""
    for _ in range(TRIES - 1):
        try:
            return step()
        except gate.Held:
            time.sleep(PAUSE_S)
    return step()


@contextmanager
def _one_worker(proposal_id: int) -> Iterator[bool]:
    """Whether this is the worker that does it: at every ring another would begin to count, and all of them be slow.

    The connection's own lock, which goes with it. That a vote is decided once doesn't depend on it.
    """
    params = {"key": ONE_WORKER, "proposal": proposal_id}
    mine = sql.fetch("SELECT pg_try_advisory_lock(%(key)s, %(proposal)s::integer) AS mine", params)[0].mine
    try:
        yield mine
    finally:
        if mine and connection.is_usable():
            sql.fetch("SELECT pg_advisory_unlock(%(key)s, %(proposal)s::integer)", params)


def _note_failure(proposal_id: int, error: Exception) -> None:
    """Other votes go on; this one is tried again at the next ring, until that has failed too often."""
    refused = isinstance(error, OperationalError)
    with transaction.atomic(durable=True):
        # It doesn't wait: the lock on which the step has failed may be the one on this row.
        held = Proposal.objects.select_for_update(skip_locked=True, no_key=True)
        proposal = held.filter(pk=proposal_id, state__in=UNDECIDED).first()
        if proposal is not None:
            proposal.attempts += 1
            proposal.last_error = describing.of(error)
            if isinstance(error, Mismatch) or (not refused and proposal.attempts >= MAX_ATTEMPTS):
                proposal.given_up_at = proposal.given_up_at or clock.now()
                deadletters.bury(job=JOB, subject_id=proposal_id, error=proposal.last_error)
            proposal.save(update_fields=["attempts", "last_error", "given_up_at"])
    passing = refused and proposal is not None and proposal.attempts < MAX_ATTEMPTS
    logger.log(
        logging.WARNING if passing else logging.CRITICAL, "the close of proposal %s failed", proposal_id, exc_info=error
    )


@deadletters.reviver(JOB)
def _revive(proposal_id: int) -> None:
    """Try it anew, in the transaction that revives the letter. Raises ProposalState if it is decided or cancelled."""
    undecided = Proposal.objects.filter(pk=proposal_id, state__in=UNDECIDED)
    if not undecided.update(given_up_at=None, attempts=0, last_error=""):
        raise errors.ProposalState
