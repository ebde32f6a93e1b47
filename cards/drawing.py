"""Draws: a list of wishes for a card becomes a list of cards, whatever source they come from.

The SQL function `cards_scan` judges and does all of them. What is here computes the rolls that SQL must not know, and
makes answers of its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cards import answers, catalogue, draws, errors, hands
from fortunes import errors as ground
from fortunes import gate, rulebooks, sql
from fortunes.actions import campaigns
from fortunes.answers import instant
from fortunes.errors import DomainError
from fortunes.models import Campaign
from fortunes.rules import Rules

ATTEMPTS = 4

REFUSALS: dict[str, type[DomainError]] = {
    **gate.REFUSALS,
    "key-reused": ground.IdempotencyKeyReused,
    "code-used": errors.CodeUsed,
    "code-unknown": errors.CodeInvalid,
    "code-revoked": errors.CodeRevoked,
    "code-expired": errors.CodeExpired,
    "daily-limit": errors.DailyLimitReached,
    "campaign-limit": errors.CampaignLimitReached,
    "hand-full": errors.HandFull,
}
DONE = ("drawn", "replayed")
# What the next attempt may find in order.
AGAIN = ("no-hand", "stale-rulebook", "stale-day")


@dataclass(frozen=True, slots=True)
class Wish:
    """One player's wish for one card under an idempotency key; `source` is an ordinal.

    `batch` and `expires_at` are those of a code. `day` is the local day that the nonce was made from, if it was.
    """

    player_id: int
    key: str
    body_hash: bytes
    source: int
    nonce: bytes
    batch: int = 0
    expires_at: datetime | None = None
    day: date | None = None


def draw(*, campaign: Campaign, wishes: Sequence[Wish]) -> list[Any]:
    """The rows of `cards_scan`, one for each wish and in their order, from a transaction of its own.

    A player comes at most once. A wish whose status is one of AGAIN has been prepared for another attempt.
    """
    version = rulebooks.believed(campaign.pk)
    rules = rulebooks.version(campaign.pk, version)
    rows = sql.fetch_alone(sql.text("cards", "scan"), params(campaign, version, rules, wishes))
    prepare(campaign=campaign, wishes=wishes, rows=rows)
    return rows


def draw_within(*, campaign: Campaign, wishes: Sequence[Wish]) -> list[Any]:
    """The same as part of the caller's transaction, who calls `prepare` after it."""
    version = rulebooks.believed(campaign.pk)
    rules = rulebooks.version(campaign.pk, version)
    return sql.fetch(sql.text("cards", "scan"), params(campaign, version, rules, wishes))


def prepare(*, campaign: Campaign, wishes: Sequence[Wish], rows: Sequence[Any]) -> None:
    """Make what was missing for another attempt, in a transaction of its own."""
    if any(row.status == "stale-rulebook" for row in rows):
        rulebooks.forget(campaign.pk)
    newcomers = [wishes[row.place - 1].player_id for row in rows if row.status == "no-hand"]
    if newcomers:
        hands.ensure(campaign_id=campaign.pk, players=newcomers)


def params(campaign: Campaign, version: int, rules: Rules, wishes: Sequence[Wish]) -> dict[str, Any]:
    """The parallel arrays of the SQL function. Here the draw secret meets the scan; SQL never sees it."""
    kinds = catalogue.of(campaign.pk)
    secret = campaigns.draw_secret(campaign)
    odds = kinds.odds(rules)
    quotas = kinds.quotas(rules)
    rolled = [
        draws.roll(
            secret,
            draws.scan_key(campaign_id=campaign.pk, source=wish.source, nonce=wish.nonce),
            wish.player_id,
        )
        for wish in wishes
    ]
    choices = [draws.outcome(odds, number) for number in rolled]
    return {
        "campaign": campaign.pk,
        "version": version,
        "players": [wish.player_id for wish in wishes],
        "keys": [wish.key for wish in wishes],
        "body_hashes": [wish.body_hash for wish in wishes],
        "sources": [wish.source for wish in wishes],
        "nonces": [wish.nonce for wish in wishes],
        "expiries": [wish.expires_at for wish in wishes],
        "batches": [wish.batch for wish in wishes],
        "days": [wish.day for wish in wishes],
        "wishes": [wish for wish, _ in choices],
        "alternatives": [alternative for _, alternative in choices],
        "per_day": [quota.per_day for quota in quotas],
        "per_campaign": [quota.per_campaign for quota in quotas],
        "capped": list(odds.capped),
        "full_set": kinds.full_set(rules),
        "wild": kinds.filler(rules),
    }


def redemption(campaign: Campaign, player_id: int, row: Any) -> answers.Redemption:
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
