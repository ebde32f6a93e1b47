"""The manifest of a sealed settlement.

Bytes are hex; h and j are decimal strings, because JSON numbers above 2⁵³ are rounded by many readers.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from cards import catalogue
from fortunes.answers import instant
from fortunes.rules import Split
from redpackets import splitting
from redpackets.answers import ChunkThreshold, Manifest, ManifestChunk
from redpackets.models import Settlement, SettlementChunk

# 2 names the jackpots.
VERSION = 2

T = TypeVar("T")


def build(settlement: Settlement, *, split: Split, secret: bytes) -> Manifest:
    """The manifest of a settlement whose payouts are all posted, shared as the rulebook said."""
    pool, campaign = settlement.pool, settlement.pool.campaign
    kinds = catalogue.read(campaign.pk)
    chunks = list(settlement.chunks.order_by("number"))
    return Manifest(
        version=VERSION,
        campaign=campaign.slug,
        frozen_at=instant(known(settlement.frozen_at)),
        rulebook_version=known(settlement.rulebook_version),
        complete_set=kinds.slugs(known(settlement.complete_kinds)),
        wild=None if settlement.wild_kind is None else kinds.kinds[settlement.wild_kind],
        pool=pool.pk,
        mode=split.mode,
        remainder=split.remainder,
        amount_fen=settlement.amount_fen,
        minimum_fen=settlement.minimum_fen,
        winners=known(settlement.winners),
        weight=known(settlement.weight),
        jackpots=msgspec.convert(settlement.jackpots, list[splitting.Tier]),
        prizes_fen=settlement.prizes_fen,
        share_fen=known(settlement.share_fen),
        returned_fen=known(settlement.returned_fen),
        commitment=bytes(known(pool.commitment)).hex(),
        secret=secret.hex(),
        public_value=splitting.PUBLIC_VALUE.hex(),
        seed=splitting.seed(secret).hex(),
        merkle_root=splitting.merkle_root([bytes(known(chunk.payouts_hash)) for chunk in chunks]).hex(),
        chunks=[_chunk(chunk) for chunk in chunks],
    )


def known(value: T | None) -> T:
    """A figure that an earlier stage has written."""
    if value is None:
        raise RuntimeError("a stage ran before the one that it builds on")
    return value


def _chunk(chunk: SettlementChunk) -> ManifestChunk:
    threshold = None
    if chunk.threshold_h is not None:
        threshold = ChunkThreshold(h=str(chunk.threshold_h), player=known(chunk.threshold_player))
    return ManifestChunk(
        number=chunk.number,
        low=chunk.low,
        high=chunk.high,
        winners=known(chunk.winners),
        ids_hash=bytes(known(chunk.ids_hash)).hex(),
        weight=known(chunk.weight),
        pot_fen=known(chunk.pot_fen),
        prizes_fen=chunk.prizes_fen,
        bonus=known(chunk.bonus),
        threshold=threshold,
        payouts_hash=bytes(known(chunk.payouts_hash)).hex(),
    )
