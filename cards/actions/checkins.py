"""Check-ins: one card for a player who comes by on a day, counted in the campaign's time zone."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

from cards import answers, catalogue, days, drawing, errors, nonces
from cards.models import Source
from fortunes import clock, keys, rulebooks
from fortunes import errors as ground
from fortunes.answers import instant
from fortunes.errors import DomainError
from fortunes.models import Campaign


def check_in(*, campaign: Campaign, asked: keys.Request) -> answers.Redemption:
    """Draw today's card. The same key answers again what it answered first.

    The roll is made from player and local day, so nothing about it can be chosen and a day has one. Refusals:
    AlreadyCheckedIn, SourceNotOffered, DailyLimitReached (the rules allow none), CampaignLimitReached, HandFull,
    CampaignNotLive, CampaignFrozen, IdempotencyKeyReused, Busy.
    """
    source = catalogue.of(campaign.pk).source(Source.Type.CHECK_IN)
    # A guess: the day is judged behind the gate, which names its own where this is another.
    day = days.of(clock.estimate(), campaign.tz)
    for _ in range(drawing.ATTEMPTS):
        (row,) = drawing.draw(campaign=campaign, wishes=[_wish(asked, source, day)])
        if row.status in drawing.DONE:
            return drawing.redemption(campaign, asked.player_id, row)
        if row.status not in drawing.AGAIN:
            raise _refusal(campaign, source, row)
        day = row.today
    raise ground.Busy(retry_after_s=1)


def _wish(asked: keys.Request, source: int, day: date) -> drawing.Wish:
    return drawing.Wish(
        player_id=asked.player_id,
        # A draw's key is unique for its player, and keys of this route are not those of scans. No client's key has a
        # space in it.
        key=f"check-in {hashlib.sha256(asked.key.encode()).hexdigest()[:48]}",
        body_hash=asked.body_hash,
        source=source,
        nonce=nonces.check_in(player_id=asked.player_id, day=day),
        day=day,
    )


def _refusal(campaign: Campaign, source: int, row: Any) -> DomainError:
    rules = rulebooks.version(campaign.pk, rulebooks.believed(campaign.pk))
    allowed = catalogue.of(campaign.pk).quotas(rules)[source].per_day > 0
    if row.status == "code-used" or (row.status == "daily-limit" and allowed):
        return errors.AlreadyCheckedIn(next_at=instant(days.end(row.quota_day, campaign.tz)))
    return drawing.REFUSALS[row.status]()
