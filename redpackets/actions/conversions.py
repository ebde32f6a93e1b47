"""Paying what a vote has promised for cards that are worth money now (`cards.models.Conversion`).

From the campaign's compensation fund, some thousand at a time, each once under the business key `conversion:<id>`. What
the fund can't pay is owed: a dead letter asks staff for more money, and topping up goes on with it.
"""

from __future__ import annotations

import logging
import time
from itertools import accumulate

from django.db import transaction
from django.db.models import F, QuerySet, Sum

from cards.models import Conversion
from fortunes import deadletters, describing, events, sql
from fortunes.models import Campaign, DatabaseNow
from redpackets import errors
from redpackets.events import ConversionPaid
from redpackets.models import CompensationFund

logger = logging.getLogger(__name__)

# What waits for more money is a dead letter of this name; its subject is the campaign.
JOB = "redpackets.conversions"

BUDGET_S = 20.0
CHUNK = 1_000


def pay_due(*, budget_s: float = BUDGET_S) -> bool:
    """Pay what is owed and can be paid, for at most `budget_s`; True if there is more to do now."""
    ends = time.monotonic() + budget_s
    failures: list[Exception] = []
    for campaign_id in _due():
        try:
            while _pay_chunk(campaign_id):
                if time.monotonic() >= ends:
                    return True
        except Exception as failure:
            # One campaign whose players can't be paid holds up no other.
            failures.append(failure)
    if failures:
        raise failures[0]
    return False


def free_fen(*, campaign_id: int) -> int:
    """What a campaign's fund has left once all is paid that it owes; less than nothing if it is short."""
    return _left_fen(campaign_id) - owed_fen(campaign_id=campaign_id)


def owed_fen(*, campaign_id: int) -> int:
    """What has been promised to players of a campaign and is not paid yet."""
    return _unpaid().filter(campaign=campaign_id).aggregate(fen=Sum("fen"))["fen"] or 0


def go_on(*, campaign_id: int, by: int | None) -> None:
    """The fund has been topped up, as a part of that transaction: what waits for money is paid as far as it goes."""
    if CompensationFund.objects.filter(pk=campaign_id, paused_at__isnull=False).update(paused_at=None):
        deadletters.settle(job=JOB, subject_id=campaign_id, by=by)


def _unpaid() -> QuerySet[Conversion]:
    return Conversion.objects.filter(fen__gt=0, paid_at=None)


def _due() -> list[int]:
    """The campaigns that owe, without those whose fund is known to be short."""
    short = CompensationFund.objects.filter(paused_at__isnull=False).values("pk")
    owing = _unpaid().exclude(campaign__in=short).order_by("campaign")
    return list(owing.values_list("campaign", flat=True).distinct())


def _pay_chunk(campaign_id: int) -> bool:
    """Pay one chunk; whether there may be another.

    Entries and wallets come before the fund, as everywhere: the other way round two who pay could deadlock. So what the
    fund has left is read without its lock, and whoever was too late finds so at the end and begins anew.
    """
    try:
        with transaction.atomic(durable=True):
            claimed = _claim(campaign_id)
            affordable = _affordable(claimed, left_fen=_left_fen(campaign_id))
            if affordable:
                _pay(campaign_id, affordable)
            elif claimed:
                _pause(campaign_id, short_of=claimed[0].fen)
    except _Outrun:
        return True
    return bool(affordable)


class _Outrun(Exception):
    """Somebody else has spent meanwhile what this payment was to be paid from."""


def _claim(campaign_id: int) -> list[Conversion]:
    """The oldest that are unpaid, locked until the end of the transaction; those of other workers are skipped."""
    unpaid = _unpaid().select_for_update(skip_locked=True, no_key=True).filter(campaign=campaign_id)
    return list(unpaid.only("id", "fen").order_by("pk")[:CHUNK])


def _left_fen(campaign_id: int) -> int:
    left = CompensationFund.objects.filter(pk=campaign_id).values_list(F("funded_fen") - F("paid_fen"), flat=True)
    return left.first() or 0


def _affordable(claimed: list[Conversion], *, left_fen: int) -> list[Conversion]:
    """First come, first served: who is next waits rather than being passed over for a smaller amount."""
    paid_fen = accumulate(conversion.fen for conversion in claimed)
    return [conversion for conversion, fen in zip(claimed, paid_fen, strict=True) if fen <= left_fen]


def _pay(campaign_id: int, conversions: list[Conversion]) -> None:
    params = {"campaign": campaign_id, "ids": [conversion.pk for conversion in conversions]}
    rows = sql.fetch(sql.text("redpackets", "pay_conversions"), params)
    if len(rows) != len(conversions):
        raise RuntimeError(f"{len(rows)} of {len(conversions)} conversions of campaign {campaign_id} could be posted")
    _spend(campaign_id, sum(row.fen for row in rows))
    slug = Campaign.objects.values_list("slug", flat=True).get(pk=campaign_id)
    paid = [ConversionPaid(conversion=str(row.public_id), campaign=slug, amount_fen=row.fen) for row in rows]
    players = [row.player_id for row in rows]
    events.append(campaign_id=campaign_id, entries=list(zip(players, paid, strict=True)))


def _spend(campaign_id: int, spent_fen: int) -> None:
    """Judged by the statement that takes it, under the row's lock."""
    enough = CompensationFund.objects.filter(pk=campaign_id, funded_fen__gte=F("paid_fen") + spent_fen)
    if not enough.update(paid_fen=F("paid_fen") + spent_fen):
        raise _Outrun


def _pause(campaign_id: int, *, short_of: int) -> None:
    """Judged once more under the fund's lock: it may have been topped up since it was read."""
    CompensationFund.objects.bulk_create(
        [CompensationFund(campaign_id=campaign_id, funded_fen=0)], ignore_conflicts=True
    )
    fund = CompensationFund.objects.select_for_update().get(pk=campaign_id)
    if fund.paused_at is not None or fund.funded_fen - fund.paid_fen >= short_of:
        return
    CompensationFund.objects.filter(pk=campaign_id).update(paused_at=DatabaseNow())
    deadletters.bury(job=JOB, subject_id=campaign_id, error=describing.of(errors.CompensationFundEmpty()))
    owed = owed_fen(campaign_id=campaign_id)
    logger.critical("campaign %s owes %s fen for cards, and its fund is short", campaign_id, owed)


@deadletters.reviver(JOB)
def _revive(campaign_id: int) -> None:
    """Try again, in the transaction that revives the letter; a fund that is still short brings another letter."""
    CompensationFund.objects.filter(pk=campaign_id).update(paused_at=None)
