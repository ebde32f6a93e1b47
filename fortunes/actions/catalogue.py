"""What is published of campaigns, read."""

from __future__ import annotations

from fortunes import answers, clock, rulebooks
from fortunes.errors import RulebookNotFound
from fortunes.models import Campaign, Rulebook

# A company runs a season or two a year; the list is not meant to be paged.
MOST = 50


def campaigns() -> answers.Campaigns:
    """The campaigns that have been opened, newest first."""
    now = clock.now()
    rows = Campaign.objects.filter(opened_at__isnull=False).order_by("-opens_at", "-id")[:MOST]
    return answers.Campaigns(items=[answers.campaign(row, now) for row in rows])


def rulebook(*, campaign_id: int, version: int | None = None) -> answers.RulesAnswer:
    """A version of the rulebook that is or was in force; by default the one that is. Raises RulebookNotFound."""
    try:
        row = rulebooks.in_force(campaign_id, version)
    except Rulebook.DoesNotExist as error:
        raise RulebookNotFound from error
    return answers.RulesAnswer(version=row.version, in_force_at=answers.instant(row.in_force_at), rules=row.rules)
