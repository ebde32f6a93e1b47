"""The gate that time and rules pass (docs/concurrency.md): the first lock of every action that changes cards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from fortunes import errors, sql

# The namespace of campaign locks among PostgreSQL's advisory locks; the functions in sql/ use the same number.
NAMESPACE = 5525


@dataclass(frozen=True, slots=True)
class Admission:
    """What was in force when the gate was passed, and stays so until this transaction ends."""

    verdict: str
    rulebook_version: int
    at: datetime
    today: date

    def require_live(self) -> None:
        """Refuse unless the campaign is live: CampaignNotLive or CampaignFrozen."""
        if self.verdict == "early":
            raise errors.CampaignNotLive
        if self.verdict == "frozen":
            raise errors.CampaignFrozen


def enter(campaign_id: int) -> Admission:
    """Pass the gate of a campaign, shared with other actions, until the end of the current transaction.

    It judges nothing by itself, so that a retried request can still be answered from its stored result after the
    deadline; call `Admission.require_live` before changing anything.
    """
    _require_transaction()
    sql.execute("SET LOCAL statement_timeout = '1s'")
    row = sql.fetch("SELECT * FROM fortunes_gate_enter(%(campaign)s)", {"campaign": campaign_id})[0]
    if row.verdict == "missing":
        raise errors.CampaignNotFound
    return Admission(row.verdict, row.rulebook_version, row.at, row.today)


def close(campaign_id: int) -> None:
    """Take the gate exclusively until the end of the current transaction.

    Waits 300 ms at most and then raises django.db.OperationalError: a waiting exclusive lock holds up later shared
    ones, so the caller gives up and tries again a little later.
    """
    _require_transaction()
    sql.execute("SET LOCAL lock_timeout = '300ms'")
    sql.fetch(
        "SELECT pg_advisory_xact_lock(%(namespace)s, %(campaign)s)", {"namespace": NAMESPACE, "campaign": campaign_id}
    )
    sql.execute("SET LOCAL lock_timeout = DEFAULT")


def _require_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("the gate is held until commit: open a transaction first")
