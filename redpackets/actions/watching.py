"""What staff watch on the night: one campaign's figures at one instant. Nothing here locks or changes.

No figure is counted from a table that grows with the players: draws come from the counts that a worker keeps by minute,
money from the chunks of the settlement, and how many sets are complete from the last count for the live share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import Count, F, Max, OuterRef, Q, Subquery, Sum

from cards.actions import counts
from cards.models import CardKind, Source
from fortunes import jobs
from fortunes.errors import CampaignNotFound
from fortunes.models import Campaign, DatabaseNow, DeadLetter, Process
from redpackets.models import CompensationFund, LiveShare, Settlement, SettlementChunk

MINUTE = timedelta(minutes=1)
MINUTES = 60
MOST_LETTERS = 20


@dataclass(frozen=True, slots=True)
class Draws:
    """Draws in all, and by kind in each of the last `MINUTES` minutes, the running one last; sums by slug."""

    total: int
    by_kind: Counter[str]
    by_source: Counter[str]
    since: datetime
    minutes: dict[str, list[int]]

    @property
    def last_minute(self) -> int:
        """Of the last minute that is over."""
        return sum(counts[-2] for counts in self.minutes.values())


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a settlement's chunks are; `reach` is the share of the players that have been carved into chunks.

    `unopened` packets with `unopened_fen` were credited, since nobody had opened them.
    """

    chunks: int
    reach: float
    counted: int
    posted: int
    credited: int
    winners: int
    to_post_fen: int
    unopened: int
    unopened_fen: int


@dataclass(frozen=True, slots=True)
class Sight:
    """All that is watched of one campaign.

    `campaign` carries the live share as `complete`, `each_fen` and `counted_at`, and what is set aside to compensate
    as `funded_fen` and `compensated_fen`; each is None where there is none.
    """

    campaign: Any
    now: datetime
    kinds: Sequence[CardKind]
    sources: Sequence[Source]
    draws: Draws
    stock: Sequence[counts.StockLevel]
    settlement: Settlement | None
    progress: Progress | None
    conditions: Sequence[jobs.Condition]
    seen: dict[str, datetime]
    letters: Sequence[DeadLetter]

    def is_alive(self, kind: Process.Kind) -> bool:
        """Whether a process of this kind gave a sign of life lately."""
        return jobs.is_recent(self.seen.get(kind.value), now=self.now)

    @property
    def paid_fen(self) -> int:
        """What has been posted as payouts, from the pots of the chunks."""
        run, progress = self.settlement, self.progress
        if run is None or progress is None or run.share_fen is None:
            return 0
        return run.amount_fen - (run.returned_fen or 0) - progress.to_post_fen


def campaign(*, campaign_id: int) -> Sight:
    """The figures of a campaign now, by the database's clock. Raises CampaignNotFound."""
    share, fund = LiveShare.objects.filter(pk=OuterRef("pk")), CompensationFund.objects.filter(pk=OuterRef("pk"))
    joined = Campaign.objects.select_related("pool__settlement").annotate(
        now=DatabaseNow(),
        complete=Subquery(share.values("complete")),
        each_fen=Subquery(share.values("each_fen")),
        counted_at=Subquery(share.values("counted_at")),
        funded_fen=Subquery(fund.values("funded_fen")),
        compensated_fen=Subquery(fund.values("paid_fen")),
    )
    found = joined.filter(pk=campaign_id).first()
    if found is None:
        raise CampaignNotFound
    is_open = found.opened_at is not None
    kinds, sources = _names(campaign_id) if is_open else _read_names(campaign_id)
    run = _settlement(found)
    return Sight(
        campaign=found,
        now=found.now,
        kinds=kinds,
        sources=sources,
        draws=_draws(found, kinds, found.now),
        stock=counts.stock(campaign=found) if is_open else [],
        settlement=run,
        progress=_progress(run) if run else None,
        conditions=jobs.conditions(),
        seen=jobs.last_seen(),
        letters=list(DeadLetter.objects.filter(outcome=None).order_by("-buried_at")[:MOST_LETTERS]),
    )


def _read_names(campaign_id: int) -> tuple[Sequence[CardKind], Sequence[Source]]:
    """The kinds and sources by ordinal."""
    kinds = CardKind.objects.filter(campaign=campaign_id).order_by("ordinal")
    return tuple(kinds), tuple(Source.objects.filter(campaign=campaign_id).order_by("ordinal"))


# They don't change any more once a campaign is open: read once per process.
_names = lru_cache(maxsize=64)(_read_names)


def _settlement(found: Campaign) -> Settlement | None:
    pool = getattr(found, "pool", None)
    run: Settlement | None = getattr(pool, "settlement", None)
    return run


def _draws(found: Campaign, kinds: Sequence[CardKind], now: datetime) -> Draws:
    until = now.replace(second=0, microsecond=0) + MINUTE
    since = until - MINUTES * MINUTE
    minutes = {kind.slug: [0] * MINUTES for kind in kinds}
    by_kind: Counter[str] = Counter()
    by_source: Counter[str] = Counter()
    if found.opened_at is None:
        return Draws(0, by_kind, by_source, since, minutes)
    for count in counts.totals(campaign=found):
        by_kind[count.kind] += count.draws
        by_source[count.source] += count.draws
    for count in counts.series(campaign=found, since=since, until=until):
        if count.minute is not None:
            minutes[count.kind][(count.minute - since) // MINUTE] += count.draws
    return Draws(by_kind.total(), by_kind, by_source, since, minutes)


def _progress(run: Settlement) -> Progress:
    """From the chunks: one for 50,000 hands, so even the largest season has a few thousand."""
    row = SettlementChunk.objects.filter(settlement=run).aggregate(
        high=Max("high", default=0),
        chunks=Count("pk"),
        counted=Count("winners"),
        posted=Count("posted_at"),
        credited=Count("credited_at"),
        to_post_fen=Sum(
            F("pot_fen") + F("prizes_fen") + F("winners") * run.minimum_fen, filter=Q(posted_at=None), default=0
        ),
        winners=Sum("winners", default=0),
        unopened=Sum("unopened", default=0),
        unopened_fen=Sum("unopened_fen", default=0),
    )
    high = row.pop("high")
    reach = min(1.0, high / run.last_player) if run.last_player else float(run.frozen_at is not None)
    return Progress(reach=reach, **row)
