"""What tests of changes of the rules share."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from fortunes import gate
from fortunes.actions import rulechanges
from fortunes.models import AuditEntry, Broadcast, Campaign, Rulebook

# The steal card is known, isn't drawn, and can't be played.
RULES: dict[str, Any] = {
    "weights": {"patriotism": 5, "prosperity": 5, "harmony": 5, "friendliness": 5, "dedication": 5, "steal": 0},
    "caps": {"dedication": {"units": 100, "tranches": 1}},
    "quotas": {"code": {"per_day": 100, "per_campaign": 3}},
}


def by_vote(campaign: Campaign, **given: Any) -> Rulebook:
    """As the close of a vote does it, without the vote."""
    with transaction.atomic():
        gate.close(campaign.pk)
        return rulechanges.apply(campaign_id=campaign.pk, reason=Rulebook.Reason.VOTE, by=None, **given)


def told(campaign: Campaign) -> list[dict[str, Any]]:
    """What everybody was told of new versions, in order."""
    rows = Broadcast.objects.filter(campaign=campaign, type="rulebook.changed").order_by("seq")
    return list(rows.values_list("data", flat=True))


def audited(campaign: Campaign) -> list[str]:
    rows = AuditEntry.objects.filter(data__campaign=campaign.pk, action__startswith="rules.").order_by("seq")
    return list(rows.values_list("action", flat=True))
