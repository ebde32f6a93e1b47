"""Presets: whole campaigns as drafts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from cards.models import CardKind, Source
from fortunes import audit
from fortunes.actions import campaigns, proposals, rulechanges
from fortunes.actions.judging import OptionPlan
from fortunes.models import Campaign

# (slug, Chinese, English, glyph, colour) of the five fortunes.
FIVE_FORTUNES = (
    ("patriotism", "爱国福", "Patriotism", "爱", "#c8102e"),
    ("prosperity", "富强福", "Prosperity", "富", "#d98324"),
    ("harmony", "和谐福", "Harmony", "和", "#2e8b57"),
    ("friendliness", "友善福", "Friendliness", "友", "#2a6fbb"),
    ("dedication", "敬业福", "Dedication", "敬", "#6b3fa0"),
)

# The same of the special kinds, whose slugs are their roles. A campaign has those to which its rules give a weight, and
# if it is 0.
SPECIALS = (
    ("wild", "万能福", "Wild card", "万", "#b8860b"),
    ("steal", "顺手牵羊", "Steal card", "羊", "#5c5c5c"),
    ("copy", "沾福", "Copy card", "沾", "#1f7a85"),
)

# (slug, type, Chinese, English) of where its cards come from.
FIVE_FORTUNES_SOURCES = (
    ("code", Source.Type.CODE, "扫码", "Scan a code"),
    ("check-in", Source.Type.CHECK_IN, "每日签到", "Daily check-in"),
    ("invitation", Source.Type.INVITATION, "邀请好友", "Invite a friend"),
    ("support", Source.Type.SUPPORT, "客服补发", "From our support"),
)

# Dedication was the rare one of 2016; 3 scans a day and 16 in all are the figures of 2017.
FIVE_FORTUNES_RULES: dict[str, Any] = {
    "weights": {"patriotism": 25, "prosperity": 25, "harmony": 23, "friendliness": 22, "dedication": 5},
    "complete_set": ["patriotism", "prosperity", "harmony", "friendliness", "dedication"],
    "caps": {"dedication": {"units": 100_000, "tranches": 100}},
    "quotas": {
        "code": {"per_day": 3, "per_campaign": 16},
        "check-in": {"per_day": 1, "per_campaign": 30},
        "invitation": {"per_day": 3, "per_campaign": 10},
        "support": {"per_day": 5, "per_campaign": 20},
    },
}


# The season of 2017 had a card with which one took a card from a friend. When half of it is over the rules say so.
STEAL = "steal"
STORY_OF_2017: dict[str, Any] = {
    "weights": FIVE_FORTUNES_RULES["weights"] | {"wild": 2, STEAL: 5},
    "specials": ["wild", STEAL],
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
    by: int | None = None,
) -> Campaign:
    """A draft campaign with the five kinds, special ones that have a weight, its sources and version 1 of the rules.

    `rulebook` replaces parts of the preset's rules by their top-level names, and quotas source by source; `by` is the
    member of staff who asked for it, None for a command. Raises InvalidCampaign or InvalidRules.
    """
    with transaction.atomic(durable=True):
        campaign = _draft(
            _rules(rulebook or {}), slug=slug, opens_at=opens_at, closes_at=closes_at, reveal_at=reveal_at, tz=tz,
            name_zh=name_zh, name_en=name_en,
        )  # fmt: skip
        _record(campaign, by, "five_fortunes")
    return campaign


def five_fortunes_2017(
    *,
    slug: str,
    opens_at: datetime,
    closes_at: datetime,
    reveal_at: datetime,
    tz: str = "Asia/Shanghai",
    name_zh: str = "集五福 2017",
    name_en: str = "Five Fortunes 2017",
    rulebook: dict[str, Any] | None = None,
    by: int | None = None,
) -> Campaign:
    """The same, with a steal card that is announced for the middle of the season, and the draft of a vote against it.

    `rulebook` is as it will be with the steal card. Until the announced change takes force that isn't drawn and can't
    be played. Raises InvalidCampaign, InvalidRules, or RuleChangeImpossible if the middle has passed.
    """
    rules = _rules(STORY_OF_2017 | (rulebook or {}))
    coming = {
        "weights": {STEAL: rules["weights"].get(STEAL) or STORY_OF_2017["weights"][STEAL]},
        "specials": [*(role for role in rules["specials"] if role != STEAL), STEAL],
    }
    without = rules | {
        "weights": rules["weights"] | {STEAL: 0},
        "specials": [role for role in rules["specials"] if role != STEAL],
    }
    length = closes_at - opens_at
    with transaction.atomic(durable=True):
        campaign = _draft(
            without, slug=slug, opens_at=opens_at, closes_at=closes_at, reveal_at=reveal_at, tz=tz, name_zh=name_zh,
            name_en=name_en,
        )  # fmt: skip
        announced = rulechanges.announce_within(
            campaign_id=campaign.pk, name_zh="顺手牵羊卡", name_en="The steal card", changes=coming,
            takes_force_at=opens_at + length / 2, by=by,
        )  # fmt: skip
        proposals.draft_within(
            campaign_id=campaign.pk,
            by=by,
            question_zh="要不要取消顺手牵羊卡？",
            question_en="Shall the steal card be struck?",
            options=[
                OptionPlan(name_zh="保留", name_en="Keep it"),
                OptionPlan(name_zh="取消", name_en="Strike it", strikes=announced.pk),
            ],
            opens_at=opens_at + length / 6,
            closes_at=opens_at + length * 5 / 12,
        )
        _record(campaign, by, "five_fortunes_2017")
    return campaign


def _draft(rules: dict[str, Any], **fields: Any) -> Campaign:
    campaign = campaigns.create(rulebook=rules, **fields)
    fortunes = [(CardKind.Role.FORTUNE, kind) for kind in FIVE_FORTUNES]
    specials = [(CardKind.Role(kind[0]), kind) for kind in SPECIALS if kind[0] in rules["weights"]]
    CardKind.objects.bulk_create(
        CardKind(campaign=campaign, ordinal=i, role=role, slug=slug, name_zh=zh, name_en=en, glyph=glyph, colour=colour)
        for i, (role, (slug, zh, en, glyph, colour)) in enumerate(fortunes + specials)
    )
    Source.objects.bulk_create(
        Source(campaign=campaign, ordinal=i, slug=source, type=type_, name_zh=zh, name_en=en)
        for i, (source, type_, zh, en) in enumerate(FIVE_FORTUNES_SOURCES)
    )
    return campaign


def _rules(changes: dict[str, Any]) -> dict[str, Any]:
    rules = FIVE_FORTUNES_RULES | changes
    if isinstance(changes.get("quotas"), dict):
        rules["quotas"] = FIVE_FORTUNES_RULES["quotas"] | changes["quotas"]
    return rules


def _record(campaign: Campaign, by: int | None, preset: str) -> None:
    subject = "fortunes.campaign"
    audit.record(actor=by, action="campaign.drafted", subject=subject, subject_id=campaign.pk, preset=preset)
