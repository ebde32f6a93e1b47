"""Driving settlements: find what is due, pull it along for a while, stop when the figures don't add up.

Only the worker's tasks call `settle_due` and `credit_due`; no view and no command splits a pool.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import timedelta

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q, QuerySet

from fortunes import audit, deadletters, describing
from fortunes.models import DatabaseNow
from redpackets import errors
from redpackets.actions import stages
from redpackets.models import Settlement

logger = logging.getLogger(__name__)

State = Settlement.State

# A run that is paused because it won't get further by itself is a dead letter of this name.
JOB = "redpackets.settlements"

BUDGET_S = 20.0
# How long to wait for other workers, or for the gate, before giving up until beat rings again.
PATIENCE_S = 1.0
POLL_S = 0.1
# After so many failures of one stage the run is paused: trying on would only hide it. Refusals of the database, a lock
# that somebody keeps or a deadlock, count too; but they pass without anybody's help, and are logged as critical then.
MAX_ATTEMPTS = 20
# From when on it is worth a line in the log that nobody can take a run further.
OVERDUE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an ask to pause or to go on: the settlement as it is now, and whether this ask changed it."""

    settlement: Settlement
    changed: bool


def settle_due(*, budget_s: float = BUDGET_S) -> bool:
    """Take the splits that are due further, for at most `budget_s`; True if there is more to do now."""
    return _pull(Settlement.objects.filter(state__in=Settlement.SPLITTING, due_at__lte=DatabaseNow()), budget_s)


def credit_due(*, budget_s: float = BUDGET_S) -> bool:
    """Credit unopened packets whose time has come, for at most `budget_s`; True if there is more to do now."""
    return _pull(Settlement.objects.filter(state=State.CREDIT, credit_at__lte=DatabaseNow()), budget_s)


def pause(*, settlement_id: int, by: int | None) -> Change:
    """Stop a run after the chunks that are being written right now; one that is paused already stays as it is.

    Raises SettlementNotFound or SettlementFinished.
    """
    return _change(settlement_id, by, "settlement.paused", Q(paused_at=None), paused_at=DatabaseNow())


def resume(*, settlement_id: int, by: int | None) -> Change:
    """Let a paused run go on where it was, and give one that has failed all its attempts anew. Closes its dead letter.

    One that runs without a failure stays as it is. Raises SettlementNotFound or SettlementFinished.
    """
    held_up = Q(paused_at__isnull=False) | Q(attempts__gt=0)
    return _change(settlement_id, by, "settlement.resumed", held_up, paused_at=None, attempts=0, last_error="")


def _pull(due: QuerySet[Settlement], budget_s: float) -> bool:
    ends = time.monotonic() + budget_s
    idle_since: float | None = None
    failed: set[int] = set()
    while ids := list(
        due.filter(paused_at=None).exclude(pk__in=failed).order_by("due_at").values_list("pk", flat=True)
    ):
        moved = [_step(settlement_id, failed) for settlement_id in ids]
        now = time.monotonic()
        if now >= ends:
            return True
        if any(moved):
            idle_since = None
            continue
        idle_since = idle_since or now
        if now - idle_since >= PATIENCE_S:
            _tell_overdue(due.filter(pk__in=ids))
            return False
        time.sleep(POLL_S)
    return False


def _step(settlement_id: int, failed: set[int]) -> bool:
    try:
        return stages.step(settlement_id=settlement_id) is stages.Progress.MOVED
    except Exception as error:
        if isinstance(error, (OperationalError, InterfaceError)) and not connection.is_usable():
            # No database: nobody gets any further, nothing was changed, and the next ring finds the same work.
            # (A connection that broke and could be made anew, as Django does when it tidies up, is a refusal.)
            raise
        _note_failure(settlement_id, error)
        failed.add(settlement_id)
        return False


def _note_failure(settlement_id: int, error: Exception) -> None:
    """Other settlements go on; this one is tried again at the next ring, unless its figures are wrong."""
    refused = isinstance(error, OperationalError)
    with transaction.atomic(durable=True):
        # It doesn't wait: the lock on which the stage has failed may be the one on this row.
        run = Settlement.objects.select_for_update(skip_locked=True).filter(pk=settlement_id).first()
        if run is not None:
            run.attempts += 1
            run.last_error = f"{type(error).__name__}: {error}"[:2000]
            if isinstance(error, stages.Mismatch) or (not refused and run.attempts >= MAX_ATTEMPTS):
                run.paused_at = run.paused_at or DatabaseNow()
                deadletters.bury(job=JOB, subject_id=settlement_id, error=describing.of(error))
            run.save(update_fields=["attempts", "last_error", "paused_at"])
    passing = refused and run is not None and run.attempts < MAX_ATTEMPTS
    level = logging.WARNING if passing else logging.CRITICAL
    logger.log(level, "settlement %s failed", settlement_id, exc_info=error)


def _tell_overdue(idle: QuerySet[Settlement]) -> None:
    """Nothing fails while the gate stays shut, or while no worker holds the settlement keys: it just doesn't happen."""
    for settlement_id, state in idle.filter(due_at__lt=DatabaseNow() - OVERDUE).values_list("pk", "state"):
        logger.warning("settlement %s is overdue and stays in %s", settlement_id, state)


def _change(settlement_id: int, by: int | None, action: str, wanting: Q, **changes: object) -> Change:
    """Compare and swap: of two asks at once the second waits for the row, and then finds nothing left to change."""
    with transaction.atomic(durable=True):
        changed = Settlement.objects.filter(wanting, pk=settlement_id).exclude(state=State.DONE).update(**changes)
        settlement = Settlement.objects.select_related("pool__campaign").filter(pk=settlement_id).first()
        if settlement is None:
            raise errors.SettlementNotFound
        if changed:
            if action == "settlement.resumed":
                deadletters.settle(job=JOB, subject_id=settlement_id, by=by)
            audit.record(
                actor=by, action=action, subject="redpackets.settlement", subject_id=settlement_id,
                campaign=settlement.pool.campaign_id, state=settlement.state,
            )  # fmt: skip
        elif settlement.state == State.DONE:
            raise errors.SettlementFinished
        return Change(settlement, changed > 0)


@deadletters.reviver(JOB)
def _revive(settlement_id: int) -> None:
    """What `resume` does, in the transaction that revives the letter."""
    unfinished = Settlement.objects.filter(pk=settlement_id).exclude(state=State.DONE)
    if not unfinished.update(paused_at=None, attempts=0, last_error=""):
        raise errors.SettlementFinished
