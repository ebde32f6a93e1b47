"""Versions of the rules that take something from the cards, and what follows from them."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from cards.actions import aftermaths
from fortunes import gate
from fortunes.actions import rulechanges
from fortunes.models import Campaign, Rulebook
from tests.factories.cards import TradingSeasonFactory

ALL = {"specials": ["wild", "steal", "copy"]}
INTO_WILD = {"steal": {"into": "wild"}}
INTO_FORTUNE = {"steal": {"into": "fortune"}}
INTO_FEN = {"steal": {"into": "fen", "amount_fen": 88}}


def season_with_steals(**rules: Any) -> Campaign:
    """A season in which all special cards are allowed."""
    campaign: Campaign = TradingSeasonFactory.create(rules=ALL | rules)
    return campaign


def remove(campaign: Campaign, *roles: str, promising: Any = None, **changes: Any) -> Rulebook:
    """Take the specials of these roles out of the game, at once, as the close of a vote does."""
    left = [role for role in ("wild", "steal", "copy") if role not in roles]
    return change(campaign, {"specials": left, **changes}, promising or {})


def change(campaign: Campaign, patch: Any, promising: Any) -> Rulebook:
    """The next version of the rules, with what it promises for the cards of the roles that it removes."""
    with transaction.atomic():
        gate.close(campaign.pk)
        return rulechanges.apply(
            campaign_id=campaign.pk, patch=patch, reason=Rulebook.Reason.STAFF, by=None, compensations=promising,
        )  # fmt: skip


def follow(campaign: Campaign) -> int:
    """Do all that follows from the versions in force; how many steps."""
    steps = 0
    while aftermaths.step(campaign_id=campaign.pk):
        steps += 1
    return steps
