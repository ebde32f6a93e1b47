"""What players see of the money, read. Nothing here locks or changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet

from fortunes import clock
from fortunes.answers import instant
from redpackets import errors
from redpackets.answers import EntryAnswer, SettlementAnswer, WalletAnswer
from redpackets.models import AccountKind, LedgerEntry, Pool, Settlement, Wallet


def settlement(*, campaign_id: int) -> SettlementAnswer:
    """The public figures of a campaign's settlement. Raises SettlementNotFound."""
    run = Settlement.objects.select_related("pool__campaign").filter(pool__campaign=campaign_id).first()
    if run is None:
        raise errors.SettlementNotFound
    pool, sealed = run.pool, run.sealed_at is not None
    return SettlementAnswer(
        state=run.state,
        pool_fen=run.amount_fen,
        mode=pool.mode,
        remainder=pool.remainder,
        commitment=bytes(pool.commitment or b"").hex(),
        due_at=instant(run.due_at),
        reveal_at=instant(pool.campaign.reveal_at),
        credited_after_s=pool.credit_after_s,
        server_time=instant(clock.now()),
        winners=run.winners,
        lowest_fen=_lowest_fen(run),
        paid_fen=run.amount_fen - (run.returned_fen or 0) if sealed else None,
        returned_fen=run.returned_fen,
        sealed_at=instant(run.sealed_at) if run.sealed_at else None,
        secret=bytes(run.secret).hex() if run.secret else None,
    )


def manifest(*, campaign_id: int) -> dict[str, Any]:
    """The published manifest. Raises SettlementNotFound or ManifestNotPublished."""
    run = Settlement.objects.filter(pool__campaign=campaign_id).first()
    if run is None:
        raise errors.SettlementNotFound
    if run.manifest is None:
        raise errors.ManifestNotPublished
    published: dict[str, Any] = run.manifest
    return published


def wallet(*, player_id: int) -> WalletAnswer:
    """A player's balance; nothing yet is 0."""
    balances = Wallet.objects.filter(player=player_id).values_list("balance_fen", flat=True)
    return WalletAnswer(balance_fen=balances.first() or 0)


def entries_of(*, player_id: int) -> QuerySet[LedgerEntry]:
    """The postings of a player's wallet."""
    return LedgerEntry.objects.filter(
        Q(destination_kind=AccountKind.WALLET, destination_owner=player_id)
        | Q(source_kind=AccountKind.WALLET, source_owner=player_id)
    )


def describe_entries(page: Sequence[LedgerEntry], *, player_id: int) -> list[EntryAnswer]:
    """Entries of one player's wallet, each with the campaign whose pool is on its other side."""
    pools = {entry.source_owner for entry in page if entry.source_kind == AccountKind.POOL}
    slugs = dict(Pool.objects.filter(pk__in=pools).values_list("pk", "campaign__slug"))
    return [_entry(entry, player_id, slugs) for entry in page]


def _entry(entry: LedgerEntry, player_id: int, slugs: dict[int, str]) -> EntryAnswer:
    incoming = (entry.destination_kind, entry.destination_owner) == (AccountKind.WALLET, player_id)
    return EntryAnswer(
        source=entry.source_kind,
        destination=entry.destination_kind,
        campaign=slugs.get(entry.source_owner) if entry.source_kind == AccountKind.POOL else None,
        amount_fen=entry.amount_fen if incoming else -entry.amount_fen,
        at=instant(entry.at),
    )


def _lowest_fen(run: Settlement) -> int | None:
    """What everybody gets at least, in even mode."""
    if run.sealed_at is None or not run.winners or not run.weight or run.share_fen is None:
        return None
    return run.minimum_fen + run.share_fen // run.weight
