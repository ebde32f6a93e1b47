"""The doorway to the ledger: the only place that inserts single entries (`sql/credit_chunk.sql` and
`sql/pay_conversions.sql` insert many).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Sum

from fortunes import sql
from redpackets import errors
from redpackets.models import AccountKind, LedgerEntry

MAX_KEY = 64
RESERVED_PREFIXES = ("payout:", "return:", "compensation:", "conversion:")


@dataclass(frozen=True, slots=True)
class Account:
    """One side of a posting."""

    kind: AccountKind
    owner: int


def sponsor(campaign_id: int) -> Account:
    return Account(AccountKind.SPONSOR, campaign_id)


def pool(pool_id: int) -> Account:
    return Account(AccountKind.POOL, pool_id)


def compensation(campaign_id: int) -> Account:
    return Account(AccountKind.COMPENSATION, campaign_id)


def wallet(player_id: int) -> Account:
    return Account(AccountKind.WALLET, player_id)


def payout_key(pool_id: int, player_id: int) -> str:
    return f"payout:{pool_id}:{player_id}"


def compensation_key(player_id: int, case: str) -> str:
    """Small letters or capitals: it's the same case."""
    return f"compensation:{player_id}:{case.upper()}"


def return_key(pool_id: int) -> str:
    return f"return:{pool_id}"


def require_free_key(business_key: str) -> None:
    """A key that somebody chose looks like none of ours. Raises InvalidBusinessKey."""
    if not 1 <= len(business_key) <= MAX_KEY or business_key.startswith(RESERVED_PREFIXES):
        raise errors.InvalidBusinessKey


def post(*, source: Account, destination: Account, amount_fen: int, business_key: str) -> bool:
    """Move money, and change the wallet that receives it; False if the business key was used before.

    Must run inside the caller's transaction. Money leaves only sponsors, pools and what is set aside for compensations:
    what a pool holds is what it was funded with, and its settlement allots no more; a compensation fund counts what it
    has paid.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("a posting belongs to the transaction of its reason")
    if source.kind == AccountKind.WALLET:
        raise ValueError("nothing takes money out of a wallet")
    params = {
        "source_kind": source.kind.value,
        "source_owner": source.owner,
        "destination_kind": destination.kind.value,
        "destination_owner": destination.owner,
        "amount_fen": amount_fen,
        "business_key": business_key,
    }
    return bool(sql.fetch(sql.text("redpackets", "post_entry"), params)[0].inserted)


def funded_fen(pool_id: int) -> int:
    """What came into a pool's account."""
    entries = LedgerEntry.objects.filter(destination_kind=AccountKind.POOL, destination_owner=pool_id)
    return entries.aggregate(fen=Sum("amount_fen"))["fen"] or 0
