"""Scans: a list of codes becomes a list of cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from cards import answers, catalogue, codes, draws, errors, hands
from fortunes import errors as ground
from fortunes import keys, rulebooks, sql
from fortunes.actions import campaigns
from fortunes.answers import instant
from fortunes.errors import DomainError
from fortunes.models import Campaign
from fortunes.rules import Rules

ATTEMPTS = 4

REFUSALS: dict[str, type[DomainError]] = {
    "key-reused": ground.IdempotencyKeyReused,
    "code-used": errors.CodeUsed,
    "code-expired": errors.CodeExpired,
    "daily-limit": errors.DailyLimitReached,
    "campaign-limit": errors.CampaignLimitReached,
    "hand-full": errors.HandFull,
    "early": ground.CampaignNotLive,
    "frozen": ground.CampaignFrozen,
    "missing": ground.CampaignNotFound,
}


@dataclass(frozen=True, slots=True)
class Scan:
    """One player's wish to redeem one code, under an idempotency key."""

    asked: keys.Request
    code: str


Outcome = answers.Redemption | DomainError


def redeem(*, campaign: Campaign, scans: Sequence[Scan]) -> list[Outcome]:
    """Redeem scans of one campaign, each for itself: the place in the answer has its Redemption or its refusal.

    The scans of one call share a transaction; those of one player follow each other. Refusals: CodeInvalid,
    CodeForeign, CodeExpired, CodeUsed, DailyLimitReached, CampaignLimitReached, HandFull, CampaignNotLive,
    CampaignFrozen, IdempotencyKeyReused, Busy.
    """
    outcomes: dict[int, Outcome] = {}
    waiting: dict[int, tuple[Scan, codes.Code]] = {}
    for place, scan in enumerate(scans):
        try:
            waiting[place] = (scan, _decode(scan.code, campaign))
        except DomainError as refusal:
            outcomes[place] = refusal
    attempts = 0
    while waiting and attempts < ATTEMPTS:
        batch = _one_a_player(waiting)
        answered = _redeem_batch(campaign, batch)
        outcomes |= answered
        waiting = {place: item for place, item in waiting.items() if place not in answered}
        attempts = 0 if answered else attempts + 1
    return [outcomes.get(place, ground.Busy(retry_after_s=1)) for place in range(len(scans))]


def _decode(text: str, campaign: Campaign) -> codes.Code:
    try:
        code = codes.decode(text, keys=settings.SCAN_CODE_KEYS)
    except codes.CodeError as error:
        raise errors.CodeInvalid from error
    if code.campaign_id != campaign.pk:
        raise errors.CodeForeign
    if code.source >= len(catalogue.of(campaign.pk).sources):
        raise errors.CodeInvalid
    return code


def _one_a_player(waiting: dict[int, tuple[Scan, codes.Code]]) -> dict[int, tuple[Scan, codes.Code]]:
    first: dict[int, int] = {}
    for place, (scan, _) in waiting.items():
        first.setdefault(scan.asked.player_id, place)
    return {place: waiting[place] for place in first.values()}


def _redeem_batch(campaign: Campaign, batch: dict[int, tuple[Scan, codes.Code]]) -> dict[int, Outcome]:
    """The outcomes of a batch by place; a place that has to be tried again is missing."""
    version = rulebooks.believed(campaign.pk)
    rules = rulebooks.version(campaign.pk, version)
    places = list(batch)
    rows = sql.fetch_alone(sql.text("cards", "scan"), _params(campaign, version, rules, list(batch.values())))
    outcomes: dict[int, Outcome] = {}
    newcomers = []
    stale = False
    for row in rows:
        place = places[row.place - 1]
        if row.status in ("drawn", "replayed"):
            outcomes[place] = _redemption(campaign, batch[place][0].asked.player_id, row)
        elif row.status == "no-hand":
            newcomers.append(batch[place][0].asked.player_id)
        elif row.status == "stale-rulebook":
            stale = True
        else:
            outcomes[place] = REFUSALS[row.status]()
    if stale:
        rulebooks.forget(campaign.pk)
    if newcomers:
        hands.ensure(campaign_id=campaign.pk, players=newcomers)
    return outcomes


def _params(campaign: Campaign, version: int, rules: Rules, items: list[tuple[Scan, codes.Code]]) -> dict[str, Any]:
    """The parallel arrays of the SQL function. Here the draw secret meets the scan; SQL never sees it."""
    kinds = catalogue.of(campaign.pk)
    secret = campaigns.draw_secret(campaign)
    odds = kinds.odds(rules)
    quotas = kinds.quotas(rules)
    rolled = [
        draws.roll(
            secret,
            draws.scan_key(campaign_id=campaign.pk, source=code.source, nonce=code.nonce),
            scan.asked.player_id,
        )
        for scan, code in items
    ]
    choices = [draws.outcome(odds, number) for number in rolled]
    return {
        "campaign": campaign.pk,
        "version": version,
        "players": [scan.asked.player_id for scan, _ in items],
        "keys": [scan.asked.key for scan, _ in items],
        "body_hashes": [scan.asked.body_hash for scan, _ in items],
        "sources": [code.source for _, code in items],
        "nonces": [code.nonce for _, code in items],
        "expiries": [code.expires_at for _, code in items],
        "wishes": [wish for wish, _ in choices],
        "alternatives": [alternative for _, alternative in choices],
        "per_day": [quota.per_day for quota in quotas],
        "per_campaign": [quota.per_campaign for quota in quotas],
        "capped": list(odds.capped),
    }


def _redemption(campaign: Campaign, player_id: int, row: Any) -> answers.Redemption:
    """The answer from the Draw's row alone, so that a replay says what the first answer said."""
    kinds = catalogue.of(campaign.pk)
    rules = rulebooks.version(campaign.pk, row.version)
    held = hands.Held(player_id, row.hand, row.escrow, row.hand_version)
    return answers.Redemption(
        draw=answers.DrawAnswer(
            id=row.draw_id,
            kind=kinds.kinds[row.kind],
            serial=row.serial,
            rulebook_version=row.version,
            drawn_at=instant(row.at),
        ),
        hand=answers.hand(kinds, held),
        quota=answers.quota(kinds.sources[row.source], kinds.quotas(rules)[row.source], row.used_today, row.used),
        complete=kinds.complete(rules, held.counts, held.escrow),
    )
