"""Scans: a list of codes becomes a list of cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from cards import answers, catalogue, codes, drawing, errors
from cards.models import Source
from fortunes import errors as ground
from fortunes import keys
from fortunes.errors import DomainError
from fortunes.models import Campaign

# Batches are counted in a signed column, and from 1.
MOST_BATCHES = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Scan:
    """One player's wish to redeem one code, under an idempotency key."""

    asked: keys.Request
    code: str


Outcome = answers.Redemption | DomainError


def redeem(*, campaign: Campaign, scans: Sequence[Scan]) -> list[Outcome]:
    """Redeem scans of one campaign, each for itself: the place in the answer has its Redemption or its refusal.

    The scans of one call share a transaction; those of one player follow each other. Refusals: CodeInvalid,
    CodeForeign, CodeRevoked, CodeExpired, CodeUsed, DailyLimitReached, CampaignLimitReached, HandFull, CampaignNotLive,
    CampaignFrozen, IdempotencyKeyReused, Busy.
    """
    outcomes: dict[int, Outcome] = {}
    waiting: dict[int, drawing.Wish] = {}
    for place, scan in enumerate(scans):
        try:
            waiting[place] = wish(scan, campaign=campaign)
        except DomainError as refusal:
            outcomes[place] = refusal
    attempts = 0
    while waiting and attempts < drawing.ATTEMPTS:
        answered = _redeem_batch(campaign, _one_a_player(waiting))
        outcomes |= answered
        waiting = {place: item for place, item in waiting.items() if place not in answered}
        attempts = 0 if answered else attempts + 1
    return [outcomes.get(place, ground.Busy(retry_after_s=1)) for place in range(len(scans))]


def wish(scan: Scan, *, campaign: Campaign) -> drawing.Wish:
    """What a scan wishes for. Raises CodeInvalid or CodeForeign."""
    try:
        code = codes.decode(scan.code, keys=settings.SCAN_CODE_KEYS)
    except codes.CodeError as error:
        raise errors.CodeInvalid from error
    if code.campaign_id != campaign.pk:
        raise errors.CodeForeign
    types = catalogue.of(campaign.pk).types
    if code.source >= len(types) or types[code.source] != Source.Type.CODE or not 0 < code.batch <= MOST_BATCHES:
        raise errors.CodeInvalid
    return drawing.Wish(
        player_id=scan.asked.player_id,
        key=scan.asked.key,
        body_hash=scan.asked.body_hash,
        source=code.source,
        nonce=code.nonce,
        batch=code.batch,
        expires_at=code.expires_at,
    )


def _one_a_player(waiting: dict[int, drawing.Wish]) -> dict[int, drawing.Wish]:
    first: dict[int, int] = {}
    for place, item in waiting.items():
        first.setdefault(item.player_id, place)
    return {place: waiting[place] for place in first.values()}


def _redeem_batch(campaign: Campaign, batch: dict[int, drawing.Wish]) -> dict[int, Outcome]:
    """The outcomes of a batch by place; a place that has to be tried again is missing."""
    places = list(batch)
    outcomes: dict[int, Outcome] = {}
    for row in drawing.draw(campaign=campaign, wishes=list(batch.values())):
        place = places[row.place - 1]
        if row.status in drawing.DONE:
            outcomes[place] = drawing.redemption(campaign, batch[place].player_id, row)
        elif row.status not in drawing.AGAIN:
            outcomes[place] = drawing.REFUSALS[row.status]()
    return outcomes
