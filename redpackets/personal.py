"""What is held of a player's money. The ledger stays whole, so nothing of it is erased."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fortunes import personal
from fortunes.answers import instant
from fortunes.models import Membership
from redpackets.actions import showing
from redpackets.models import Packet, Pool, Wallet


@personal.section("wallet")
def _wallet(player_id: int) -> Iterator[dict[str, Any]]:
    for wallet in Wallet.objects.filter(player=player_id):
        yield {"balance_fen": wallet.balance_fen}


@personal.section("wallet-entries")
def _entries(player_id: int) -> Iterator[dict[str, Any]]:
    rows = showing.entries_of(player_id=player_id)
    for batch in personal.batches(rows.iterator(chunk_size=personal.BATCH)):
        for row, entry in zip(batch, showing.describe_entries(batch, player_id=player_id), strict=True):
            said: dict[str, Any] = msgspec.to_builtins(entry)
            yield {**said, "business_key": row.business_key}


@personal.section("packets")
def _packets(player_id: int) -> Iterator[dict[str, Any]]:
    """By pool and player, which is how payouts are found."""
    joined = Membership.objects.filter(player=player_id).values("campaign")
    for pool in Pool.objects.filter(campaign__in=joined).select_related("campaign").order_by("pk"):
        for packet in Packet.objects.filter(pool=pool, player=player_id):
            yield {
                "campaign": pool.campaign.slug,
                "amount_fen": packet.amount_fen,
                "opened_at": instant(packet.opened_at) if packet.opened_at else None,
            }
