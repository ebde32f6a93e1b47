"""Presets: whole campaigns as drafts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from cards.models import CardKind, Source
from fortunes.actions import campaigns
from fortunes.models import Campaign

# (slug, Chinese, English, glyph, colour) of the five fortunes.
FIVE_FORTUNES = (
    ("patriotism", "爱国福", "Patriotism", "爱", "#c8102e"),
    ("prosperity", "富强福", "Prosperity", "富", "#d98324"),
    ("harmony", "和谐福", "Harmony", "和", "#2e8b57"),
    ("friendliness", "友善福", "Friendliness", "友", "#2a6fbb"),
    ("dedication", "敬业福", "Dedication", "敬", "#6b3fa0"),
)

# Dedication was the rare one of 2016; 3 scans a day and 16 in all are the figures of 2017.
FIVE_FORTUNES_RULES: dict[str, Any] = {
    "weights": {"patriotism": 25, "prosperity": 25, "harmony": 23, "friendliness": 22, "dedication": 5},
    "complete_set": ["patriotism", "prosperity", "harmony", "friendliness", "dedication"],
    "caps": {"dedication": {"units": 100_000, "tranches": 100}},
    "quotas": {"code": {"per_day": 3, "per_campaign": 16}},
}


def five_fortunes(
    *,
    slug: str,
    opens_at: datetime,
    closes_at: datetime,
    reveal_at: datetime,
    tz: str = "Asia/Shanghai",
    name_zh: str = "集五福",
    name_en: str = "Five Fortunes",
    rulebook: dict[str, Any] | None = None,
) -> Campaign:
    """A draft campaign with the five kinds, the source of signed codes and version 1 of the rules.

    `rulebook` replaces parts of the preset's rules by their top-level names. Raises InvalidCampaign or InvalidRules.
    """
    with transaction.atomic(durable=True):
        campaign = campaigns.create(
            slug=slug, name_zh=name_zh, name_en=name_en, tz=tz,
            opens_at=opens_at, closes_at=closes_at, reveal_at=reveal_at,
            rulebook=FIVE_FORTUNES_RULES | (rulebook or {}),
        )  # fmt: skip
        CardKind.objects.bulk_create(
            CardKind(campaign=campaign, ordinal=i, slug=kind, name_zh=zh, name_en=en, glyph=glyph, colour=colour)
            for i, (kind, zh, en, glyph, colour) in enumerate(FIVE_FORTUNES)
        )
        Source.objects.create(campaign=campaign, ordinal=0, slug="code", name_zh="扫码", name_en="Scan a code")
    return campaign
