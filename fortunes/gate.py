"""The closing side of the gate that time and rules pass (docs/concurrency.md).

Actions pass it inside the SQL functions of the hot verbs: `fortunes_gate_lock` first, then their other locks, then
`fortunes_gate_look`.
"""

from __future__ import annotations

from django.db import OperationalError, transaction

from fortunes import errors, sql
from fortunes.errors import DomainError

# The namespace of campaign locks among PostgreSQL's advisory locks; the functions in sql/ use the same number.
NAMESPACE = 5525

# What the look through the gate says of a campaign that isn't live (fortunes/sql/functions/gate_look.sql).
REFUSALS: dict[str, type[DomainError]] = {
    "early": errors.CampaignNotLive,
    "frozen": errors.CampaignFrozen,
    "missing": errors.CampaignNotFound,
}


LOCK_NOT_AVAILABLE = "55P03"


class Held(OperationalError):
    """The gate was not to be had in 300 ms: roll back, and try again in 200 ms."""


def close(campaign_id: int) -> None:
    """Take the gate exclusively until the end of the current transaction.

    Waits 300 ms at most and then raises Held: a waiting exclusive lock holds up later shared ones, so the caller gives
    up and tries again a little later.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("the gate is held until commit: open a transaction first")
    sql.execute("SET LOCAL lock_timeout = '300ms'")
    try:
        sql.fetch(
            "SELECT pg_advisory_xact_lock(%(namespace)s, %(campaign)s)",
            {"namespace": NAMESPACE, "campaign": campaign_id},
        )
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            raise Held(*error.args) from error.__cause__
        raise
    sql.execute("SET LOCAL lock_timeout = DEFAULT")
