"""What is published of campaigns, read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from django.db.models import QuerySet

from fortunes import amending, answers, clock, rulebooks, rules
from fortunes.errors import RulebookNotFound
from fortunes.models import Amendment, Campaign, Rulebook

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
    return answers.RulesAnswer(**msgspec.structs.asdict(answers.rulebook(row)), rules=row.rules)


def history(*, campaign: Campaign) -> QuerySet[Rulebook]:
    """Every version of the rules."""
    return Rulebook.objects.filter(campaign=campaign).select_related("proposal", "amendment")


def amendments(*, campaign: Campaign) -> QuerySet[Amendment]:
    """Every announced change, whatever became of it."""
    return Amendment.objects.filter(campaign=campaign).select_related("struck_by")


def describe_amendments(rows: Sequence[Amendment], *, campaign: Campaign) -> list[answers.AmendmentAnswer]:
    in_force = rulebooks.current(campaign.pk)
    made = {book.amendment_id: book for book in Rulebook.objects.filter(campaign=campaign, amendment__in=rows)}
    return [_amendment(row, made.get(row.pk), in_force) for row in rows]


def _amendment(row: Amendment, book: Rulebook | None, in_force: rules.Rules) -> answers.AmendmentAnswer:
    state, ended_at = "announced", None
    if row.impossible:
        state = "impossible"
    elif row.applied_at:
        state, ended_at = "in-force", row.applied_at
    elif row.struck_at:
        state, ended_at = "struck", row.struck_at
    return answers.AmendmentAnswer(
        id=row.public_id,
        name=answers.Name(zh=row.name_zh, en=row.name_en),
        state=state,
        takes_force_at=answers.instant(row.takes_force_at),
        announced_at=answers.instant(row.announced_at),
        ended_at=answers.instant(ended_at) if ended_at else None,
        version=book.version if book else None,
        struck_by=row.struck_by.public_id if row.struck_by else None,
        changes=answers.rule_changes(book.changes if book else _would_change(in_force, row.changes)),
        patch=row.changes,
    )


def _would_change(in_force: rules.Rules, patch: Mapping[str, Any]) -> list[amending.Change]:
    try:
        return amending.changes(in_force, amending.merged(in_force, patch))
    except rules.RulesError:
        return []
