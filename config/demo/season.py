"""Seasons made ready to play: the preset, a pool that its sponsor has paid into, and the opening."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cards.actions import presets
from fortunes import clock
from fortunes.models import Campaign
from redpackets import ledger
from redpackets.actions import openings, pools
from redpackets.models import Pool

TZ = "Asia/Shanghai"


def ready(campaign: Campaign, *, pool_fen: int, credit_after_s: int | None) -> Campaign:
    """Give a campaign whatever it lacks of pool, money and opening. Repeating it changes nothing."""
    if campaign.opened_at is not None:
        return campaign
    pool = Pool.objects.filter(campaign=campaign).first() or pools.create(
        campaign_id=campaign.pk, amount_fen=pool_fen, credit_after_s=credit_after_s
    )
    if ledger.funded_fen(pool.pk) < pool.amount_fen:
        pools.fund(pool_id=pool.pk, amount_fen=pool.amount_fen, business_key=f"fund:{campaign.slug}")
    return openings.open(campaign_id=campaign.pk)


def short(
    *, slug: str, warm_up: timedelta, live: timedelta, until_reveal: timedelta, pool_fen: int, rulebook: dict[str, Any]
) -> Campaign:
    """A season of seconds. Unopened packets are credited a second after the reveal."""
    opens_at = clock.now() + warm_up
    closes_at = opens_at + live
    campaign = presets.five_fortunes(
        slug=slug,
        opens_at=opens_at,
        closes_at=closes_at,
        reveal_at=closes_at + until_reveal,
        tz=_calm_zone(opens_at, closes_at),
        rulebook=rulebook,
    )
    return ready(campaign, pool_fen=pool_fen, credit_after_s=1)


def _calm_zone(opens_at: datetime, closes_at: datetime) -> str:
    """A zone in which no day begins meanwhile: with the new day players would have new scans."""
    zone = ZoneInfo(TZ)
    return TZ if opens_at.astimezone(zone).date() == closes_at.astimezone(zone).date() else "UTC"
