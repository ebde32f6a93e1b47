"""Counts of draws: by minute for charts, and in all. A worker counts each draw once; nobody counts for a request."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Sum

from cards import catalogue, drawlog
from cards.models import DrawCount, DrawReader, DrawTotal, StockTranche
from fortunes import sql
from fortunes.models import Campaign

READER = "counts"
# Less than beat's interval, as in `credits`.
BUDGET_S = 4.0


@dataclass(frozen=True, slots=True)
class Count:
    """Draws by slugs of source and kind; `minute` is None for the whole campaign."""

    minute: datetime | None
    source: str
    kind: str
    draws: int


@dataclass(frozen=True, slots=True)
class StockLevel:
    """The units of a capped kind. `left` are released and not drawn, as far as draws have been counted."""

    kind: str
    units: int
    released: int
    left: int
    next_units: int
    next_at: datetime | None


def count_due(*, budget_s: float = BUDGET_S) -> int:
    """Count the draws that have come since the last call, for about `budget_s`; how many ids were gone through.

    Any number may call. What is left is found at the next ring.
    """
    ends = time.monotonic() + budget_s
    drawlog.register(reader=READER)
    upto, read = drawlog.horizon(), 0
    while span := _count_next(upto=upto):
        read += span.upto - span.after
        if time.monotonic() >= ends:
            break
    return read


def _count_next(*, upto: int) -> drawlog.Span | None:
    with transaction.atomic(durable=True):
        span = drawlog.take(reader=READER, upto=upto)
        if span:
            sql.execute(sql.text("cards", "count_draws"), {"after": span.after, "upto": span.upto})
    return span


def counted_at() -> datetime | None:
    """When draws were counted last; None if never."""
    return DrawReader.objects.filter(name=READER).values_list("read_at", flat=True).first()


def totals(*, campaign: Campaign) -> list[Count]:
    """The campaign's draws by source and kind, in the order of their ordinals; those without a draw are missing."""
    known = catalogue.of(campaign.pk)
    rows = DrawTotal.objects.filter(campaign=campaign).order_by("source", "kind")
    return [Count(None, known.sources[row.source], known.kinds[row.kind], row.draws) for row in rows]


def series(*, campaign: Campaign, since: datetime, until: datetime) -> list[Count]:
    """The campaign's draws by minute (its first instant), source and kind, since <= minute < until, oldest first."""
    known = catalogue.of(campaign.pk)
    rows = DrawCount.objects.filter(campaign=campaign, minute__gte=since, minute__lt=until)
    return [
        Count(row.minute, known.sources[row.source], known.kinds[row.kind], row.draws)
        for row in rows.order_by("minute", "source", "kind")
    ]


def stock(*, campaign: Campaign) -> list[StockLevel]:
    """The stock of each capped kind, from its tranches and the counts: without a look at the units."""
    known = catalogue.of(campaign.pk)
    drawn = dict(DrawTotal.objects.filter(campaign=campaign).values_list("kind").annotate(Sum("draws")))
    tranches: dict[int, list[StockTranche]] = {}
    for tranche in StockTranche.objects.filter(campaign=campaign).order_by("kind", "number"):
        tranches.setdefault(tranche.kind, []).append(tranche)
    return [_level(known.kinds[kind], planned, drawn.get(kind, 0)) for kind, planned in tranches.items()]


def _level(kind: str, planned: list[StockTranche], drawn: int) -> StockLevel:
    released = sum(tranche.units for tranche in planned if tranche.released_at)
    coming = next((tranche for tranche in planned if not tranche.released_at), None)
    return StockLevel(
        kind=kind,
        units=sum(tranche.units for tranche in planned),
        released=released,
        left=released - drawn,
        next_units=coming.units if coming else 0,
        next_at=coming.available_at if coming else None,
    )
