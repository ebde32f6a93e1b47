"""Campaigns by themselves: drafts without kinds or a pool. A season that can be played is in the cards' factories."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import factory
from django.db import transaction

from fortunes import clock, gate
from fortunes.actions import campaigns, rulechanges
from fortunes.models import Campaign, Rulebook

RULES: dict[str, Any] = {
    "weights": {"patriotism": 1},
    "complete_set": ["patriotism"],
    "quotas": {"code": {"per_day": 3, "per_campaign": 16}},
}


class CampaignFactory(factory.Factory[Campaign]):
    """A draft, made by the action."""

    class Meta:
        model = Campaign

    slug = factory.LazyFunction(lambda: f"season-{secrets.token_hex(6)}")
    name_zh = "集五福"
    name_en = "Five Fortunes"
    tz = "Asia/Shanghai"
    opens_at = factory.LazyFunction(lambda: clock.now() - timedelta(minutes=1))
    closes_at = factory.LazyAttribute(lambda season: season.opens_at + timedelta(days=14))
    reveal_at = factory.LazyAttribute(lambda season: season.closes_at + timedelta(minutes=18))
    rulebook = factory.LazyFunction(lambda: dict(RULES))

    @classmethod
    def _create(cls, model_class: type[Campaign], *args: Any, **fields: Any) -> Campaign:
        with transaction.atomic():
            return campaigns.create(**fields)


def change_rules(campaign: Campaign, **changes: Any) -> Rulebook:
    """A new version of the rules, in force at once: whatever has passed the gate is judged by the one before.

    Raises OperationalError if the gate wasn't to be had in 300 ms.
    """
    with transaction.atomic():
        gate.close(campaign.pk)
        return rulechanges.apply(campaign_id=campaign.pk, patch=changes, reason=Rulebook.Reason.STAFF, by=None)
