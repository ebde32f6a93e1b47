"""What players see of the money, read. Nothing here locks or changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from fortunes import clock
from fortunes.answers import instant
from fortunes.models import Campaign
from redpackets import errors, splitting
from redpackets.actions import splits
from redpackets.answers import EntryAnswer, SettlementAnswer, ShareAnswer, ShareChanged, WalletAnswer
from redpackets.models import AccountKind, LedgerEntry, LiveShare, Pool, Settlement, Wallet


def settlement(*, campaign_id: int) -> SettlementAnswer:
    """The public figures of a campaign's settlement. Raises SettlementNotFound."""
    run = Settlement.objects.select_related("pool__campaign").filter(pool__campaign=campaign_id).first()
    if run is None:
        raise errors.SettlementNotFound
    pool, sealed, split = run.pool, run.sealed_at is not None, splits.of(run)
    # A later deadline is followed by the run only once it looks.
    due_at = pool.campaign.closes_at if run.state == Settlement.State.FREEZE else run.due_at
    return SettlementAnswer(
        state=run.state,
        pool_fen=run.amount_fen,
        mode=split.mode,
        remainder=split.remainder,
        minimum_fen=split.minimum_fen,
        jackpots=list(split.jackpots),
        commitment=bytes(pool.commitment or b"").hex(),
        due_at=instant(due_at),
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


def share(*, campaign_id: int) -> ShareAnswer:
    """The live share; once the settlement has counted, what it has counted."""
    server_time = instant(clock.now())
    counted_runs = Settlement.objects.select_related("pool").filter(winners__isnull=False)
    run = counted_runs.filter(pool__campaign=campaign_id).first()
    if run is not None and run.frozen_at is not None:
        complete = run.winners or 0
        each = splitting.about_each(splits.of(run), amount_fen=run.amount_fen, winners=complete)
        return ShareAnswer(complete=complete, each_fen=each, counted_at=instant(run.frozen_at), server_time=server_time)
    counted = _counted(LiveShare.objects.filter(pk=campaign_id)).get(campaign_id)
    if counted is None:
        return ShareAnswer(complete=None, each_fen=None, counted_at=None, server_time=server_time)
    return ShareAnswer(
        complete=counted.complete, each_fen=counted.each_fen, counted_at=counted.counted_at, server_time=server_time
    )


def live_shares(*, campaigns: Iterable[int]) -> dict[int, ShareChanged]:
    """The last count of each of these campaigns that has been counted."""
    return _counted(LiveShare.objects.filter(pk__in=campaigns))


def _counted(rows: QuerySet[LiveShare]) -> dict[int, ShareChanged]:
    return {
        row.pk: ShareChanged(complete=row.complete, each_fen=row.each_fen, counted_at=instant(row.counted_at))
        for row in rows
        if row.complete is not None and row.counted_at is not None
    }


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
    """Entries of one player's wallet, each with the campaign whose pool or fund is on its other side."""
    pools = {entry.source_owner for entry in page if entry.source_kind == AccountKind.POOL}
    funds = {entry.source_owner for entry in page if entry.source_kind == AccountKind.COMPENSATION}
    of_pools = Pool.objects.filter(pk__in=pools).values_list("pk", "campaign__slug")
    of_funds = Campaign.objects.filter(pk__in=funds).values_list("pk", "slug")
    slugs = {(AccountKind.POOL.value, pk): slug for pk, slug in of_pools}
    slugs |= {(AccountKind.COMPENSATION.value, pk): slug for pk, slug in of_funds}
    return [_entry(entry, player_id, slugs) for entry in page]


def _entry(entry: LedgerEntry, player_id: int, slugs: dict[tuple[str, int], str]) -> EntryAnswer:
    incoming = (entry.destination_kind, entry.destination_owner) == (AccountKind.WALLET, player_id)
    return EntryAnswer(
        source=entry.source_kind,
        destination=entry.destination_kind,
        campaign=slugs.get((entry.source_kind, entry.source_owner)),
        amount_fen=entry.amount_fen if incoming else -entry.amount_fen,
        at=instant(entry.at),
    )


def _lowest_fen(run: Settlement) -> int | None:
    """What everybody gets at least: nobody weighs less than 1."""
    if run.sealed_at is None or not run.winners or not run.weight or run.share_fen is None:
        return None
    return run.minimum_fen + run.share_fen // run.weight
