"""The live share: how many sets are complete, and what each would get "if it closed now".

A count reads every hand of a campaign, so no request ever makes one: workers do, for everybody, through the one
function that says who wins. They rest 10 s between two counts, and 20 times as long as the last one took, so that it
costs less than 5 % of one connection whatever the size of the season: millions of hands are counted every few minutes.

"About": hands go on changing while they are counted, range by range, and the figure is as old as `counted_at` says. The
amount is rounded down, and without jackpots, so an even or tiered split promises nobody too much; of a random split it
is the average.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.db import OperationalError, connection, transaction
from django.db.models import Q

from cards import catalogue
from fortunes import clock, doorbell, rulebooks, rules, sql
from fortunes.models import Campaign, DatabaseNow
from redpackets import splitting
from redpackets.actions import splits
from redpackets.models import LiveShare

logger = logging.getLogger(__name__)

PACE_S = 10.0
REST = 20
RANGE_HANDS = 50_000
# For one range: more than the role's 5 s, since nobody waits for it.
PATIENCE = "15s"


def count_due() -> int:
    """Count in the live campaigns whose count is due; how many were counted. Workers share the campaigns."""
    live = Campaign.objects.filter(
        opened_at__isnull=False,
        frozen_at=None,
        opens_at__lte=DatabaseNow(),
        closes_at__gt=DatabaseNow(),
        pool__isnull=False,
    ).values_list("pk", flat=True)
    known = LiveShare.objects.filter(campaign__in=live)
    fresh = live.exclude(pk__in=known.values("pk"))
    LiveShare.objects.bulk_create([LiveShare(campaign_id=campaign) for campaign in fresh], ignore_conflicts=True)
    return sum(_try(campaign) for campaign in known.filter(_due()).values_list("pk", flat=True))


def _due() -> Q:
    """A count from the future is one of a clock that has gone back since: waiting for it could take hours."""
    return Q(due_at=None) | Q(due_at__lte=DatabaseNow()) | Q(counted_at__gt=DatabaseNow())


def _try(campaign_id: int) -> bool:
    began = time.monotonic()
    try:
        return _count(campaign_id, began)
    except OperationalError as error:
        if not connection.is_usable():
            raise
        # Most likely a range that took too long. The next worker shall not run into it at once.
        due_at = DatabaseNow() + _rest(time.monotonic() - began)
        LiveShare.objects.filter(pk=campaign_id).update(due_at=due_at)
        logger.warning("the live share of campaign %s was not counted: %r", campaign_id, error)
        return False


def _count(campaign_id: int, began: float) -> bool:
    with transaction.atomic(durable=True):
        # Whoever comes second finds the row locked, or, once that worker has committed, not due any more.
        free = LiveShare.objects.select_for_update(skip_locked=True, of=("self",)).select_related("campaign__pool")
        share = free.filter(_due(), pk=campaign_id).first()
        if share is None:
            return False
        sql.execute(f"SET LOCAL statement_timeout = '{PATIENCE}'")
        counted_at = clock.now()
        told = (share.complete, share.each_fen)
        share.complete = _complete(campaign_id, counted_at)
        share.each_fen = splitting.about_each(
            splits.in_force(campaign_id=campaign_id), amount_fen=share.campaign.pool.amount_fen, winners=share.complete
        )
        share.counted_at = counted_at
        took_s = time.monotonic() - began
        share.took_ms = round(took_s * 1000)
        share.due_at = counted_at + timedelta(seconds=took_s) + _rest(took_s)
        share.save()
        if told != (share.complete, share.each_fen):
            doorbell.ring_after_commit(shares={campaign_id: round(counted_at.timestamp() * 1000)})
    return True


def _complete(campaign_id: int, at: object) -> int:
    in_force, kinds = rules.parse(rulebooks.in_force(campaign_id).rules), catalogue.of(campaign_id)
    params = {
        "campaign": campaign_id,
        "kinds": kinds.full_set(in_force),
        "wild": kinds.filler(in_force),
        "at": at,
        "hands": RANGE_HANDS,
    }
    complete, after = 0, 0
    while True:
        (row,) = sql.fetch(sql.text("redpackets", "count_range"), params | {"after": after})
        if row.high is None:
            return complete
        complete, after = complete + row.complete, row.high


def _rest(took_s: float) -> timedelta:
    """How long nobody counts after a count that took so long."""
    return timedelta(seconds=max(PACE_S, REST * took_s))
