"""What a job has given up, until a person decides: one row for a subject that no further try will help.

The job that gives up buries its subject in the transaction that stops it. Staff revive it, which hands the subject back
to the job that owns it, or dismiss it. A letter tells the kind of error and nothing of a person.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from fortunes import audit, errors, sql
from fortunes.models import DatabaseNow, DeadLetter

MOST = 500

# By the job's name: what lets it take up a subject again. Called inside the transaction that revives the letter.
Reviver = Callable[[int], None]
_revivers: dict[str, Reviver] = {}


def reviver(job: str) -> Callable[[Reviver], Reviver]:
    """Register what takes up a subject of `job` again; the app that owns the job does."""

    def register(revive: Reviver) -> Reviver:
        if job in _revivers:
            raise ValueError(f"{job} has two revivers")
        _revivers[job] = revive
        return revive

    return register


def owners() -> list[str]:
    """The jobs that may give something up."""
    return sorted(_revivers)


def bury(*, job: str, subject_id: int, error: str) -> int:
    """Note that `job` has given this subject up; the letter's id. `error` tells nothing of a person: describing.of."""
    _require_transaction()
    if job not in _revivers:
        raise ValueError(f"{job} has no reviver, so nobody could take this up again")
    rows = sql.fetch(sql.text("fortunes", "bury"), {"job": job, "subject": subject_id, "error": error[:MOST]})
    letter_id: int = rows[0].id
    return letter_id


def settle(
    *, job: str, subject_id: int, by: int | None, outcome: DeadLetter.Outcome = DeadLetter.Outcome.REVIVED
) -> None:
    """The subject was taken up again, or dropped, by other means than its letter: close that, if there is one.

    A part of the transaction that does so. `by` is None for the system.
    """
    _require_transaction()
    DeadLetter.objects.filter(job=job, subject_id=subject_id, outcome=None).update(**_decided(outcome, by))


def revive(*, letter_id: int, by: int) -> DeadLetter:
    """Hand the subject back to its job. Raises DeadLetterNotFound, DeadLetterDecided or what the job refuses with."""
    with transaction.atomic(durable=True):
        # The subject first and then its letter, as who buries or settles it: the other way round they deadlock.
        buried = _undecided(letter_id)
        try:
            _revivers[buried.job](buried.subject_id)
        except errors.DomainError:
            # Refused because somebody else has just revived it? Then that is the reason to tell.
            _undecided(letter_id)
            raise
        letter = _decide(letter_id, DeadLetter.Outcome.REVIVED, by)
        _record(letter, by)
    return letter


def dismiss(*, letter_id: int, by: int) -> DeadLetter:
    """Leave the subject as it is, for good. Raises DeadLetterNotFound or DeadLetterDecided."""
    with transaction.atomic(durable=True):
        letter = _decide(letter_id, DeadLetter.Outcome.DISMISSED, by)
        _record(letter, by)
    return letter


def _undecided(letter_id: int) -> DeadLetter:
    """As it seems without a lock: that it is so still, `_decide` says."""
    letter = DeadLetter.objects.filter(pk=letter_id).first()
    if letter is None:
        raise errors.DeadLetterNotFound
    if letter.outcome is not None:
        raise errors.DeadLetterDecided
    return letter


def _decide(letter_id: int, outcome: DeadLetter.Outcome, by: int) -> DeadLetter:
    """Two people may press at once: one of them changes the row, the other finds it decided."""
    changed = DeadLetter.objects.filter(pk=letter_id, outcome=None).update(**_decided(outcome, by))
    letter = DeadLetter.objects.filter(pk=letter_id).first()
    if letter is None:
        raise errors.DeadLetterNotFound
    if not changed:
        raise errors.DeadLetterDecided
    return letter


def _decided(outcome: str, by: int | None) -> dict[str, object]:
    return {"outcome": str(outcome), "decided_at": DatabaseNow(), "decided_by": by}


def _record(letter: DeadLetter, by: int) -> None:
    audit.record(
        actor=by,
        action=f"dead_letter.{letter.outcome}",
        subject="fortunes.deadletter",
        subject_id=letter.pk,
        job=letter.job,
        of=letter.subject_id,
    )


def _require_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("a letter is written in the transaction that gives up")
