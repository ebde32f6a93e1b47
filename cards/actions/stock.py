"""Stock: the units of capped kinds, planned at the opening and released tranche by tranche."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Max, Sum

from cards import catalogue, pace
from cards.models import StockTranche
from fortunes import rules, sql
from fortunes.models import Campaign

# A tranche is inserted a little before its units may be drawn, so that none is late.
AHEAD_S = 10


def plan(*, campaign: Campaign, rulebook: rules.Rules) -> int:
    """Write the tranches of every capped kind; the number of rows. Part of the opening's transaction."""
    ordinals = {slug: ordinal for ordinal, slug in enumerate(catalogue.read(campaign.pk).kinds)}
    rows = [
        StockTranche(
            campaign=campaign,
            kind=ordinals[slug],
            number=tranche.number,
            first_serial=tranche.first_serial,
            units=tranche.units,
            available_at=tranche.available_at,
        )
        for slug, cap in rulebook.caps.items()
        for tranche in pace.tranches(cap, opens_at=campaign.opens_at, closes_at=campaign.closes_at)
    ]
    return len(StockTranche.objects.bulk_create(rows))


def raise_caps(*, campaign: Campaign, rulebook: rules.Rules, since: datetime) -> int:
    """Plan the units by which caps are above what was planned, from `since` to the deadline; the number of rows.

    Part of the transaction of whoever notes that a version of the rules has raised caps.
    """
    kinds = catalogue.of(campaign.pk).kinds
    planned = {
        row["kind"]: row
        for row in StockTranche.objects.filter(campaign=campaign)
        .values("kind")
        .annotate(all_units=Sum("units"), last=Max("number"))
    }
    rows: list[StockTranche] = []
    for slug, cap in rulebook.caps.items():
        kind = kinds.index(slug)
        more = cap.units - planned[kind]["all_units"]
        extra = rules.Cap(units=more, tranches=min(cap.tranches, more))
        rows += [
            StockTranche(
                campaign=campaign,
                kind=kind,
                number=planned[kind]["last"] + 1 + tranche.number,
                first_serial=planned[kind]["all_units"] + tranche.first_serial,
                units=tranche.units,
                available_at=tranche.available_at,
            )
            for tranche in (pace.tranches(extra, opens_at=since, closes_at=campaign.closes_at) if more else ())
        ]
    return len(StockTranche.objects.bulk_create(rows))


def release_next() -> bool:
    """Insert the units of one tranche whose time comes within 10 s; False if none is waiting.

    Tranche and units are one transaction and a tranche is claimed with SKIP LOCKED: any number of callers is harmless.
    """
    with transaction.atomic(durable=True):
        sql.execute("SET LOCAL statement_timeout = '60s'")
        return sql.execute(sql.text("cards", "release_tranche"), {"ahead_s": AHEAD_S}) > 0


def release_due() -> int:
    """Release every tranche that is due; how many."""
    released = 0
    while release_next():
        released += 1
    return released
