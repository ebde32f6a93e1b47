"""A campaign's life: created, opened, frozen, settled. Each step is taken once and never undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import transaction

from fortunes import clock, errors, events, gate, rules, secretkeys
from fortunes.actions import rulechanges
from fortunes.models import Campaign, DatabaseNow, Rulebook


def create(
    *,
    slug: str,
    name_zh: str,
    name_en: str,
    tz: str,
    opens_at: datetime,
    closes_at: datetime,
    reveal_at: datetime,
    rulebook: Mapping[str, Any],
) -> Campaign:
    """A draft campaign with version 1 of its rulebook and the commitment to its draw secret.

    Must run inside the caller's transaction (a preset adds kinds and sources to it). Raises InvalidCampaign or
    InvalidRules.
    """
    _check_instants(tz, opens_at, closes_at, reveal_at)
    try:
        parsed = rules.parse(dict(rulebook))
    except rules.RulesError as error:
        raise errors.InvalidRules(errors.said(error.why)) from error
    key_id, key = secretkeys.current(settings.DRAW_KEYS)
    campaign = Campaign(
        slug=slug, name_zh=name_zh, name_en=name_en, tz=tz, draw_key_id=key_id,
        opens_at=opens_at, closes_at=closes_at, reveal_at=reveal_at,
    )  # fmt: skip
    campaign.draw_commitment = secretkeys.commitment(secretkeys.derive(key, "draw", campaign.public_id))
    campaign.save(force_insert=True)
    Rulebook.objects.create(campaign=campaign, version=1, rules=rules.dump(parsed), reason=Rulebook.Reason.START)
    return campaign


def _check_instants(tz: str, opens_at: datetime, closes_at: datetime, reveal_at: datetime) -> None:
    try:
        ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise errors.InvalidCampaign(f"unknown time zone: {tz}", field="tz") from error
    if any(instant.tzinfo is None for instant in (opens_at, closes_at, reveal_at)):
        raise errors.InvalidCampaign("instants need a time zone", field="opens_at")
    if not opens_at < closes_at:
        raise errors.InvalidCampaign("the deadline must come after the opening", field="closes_at")
    if closes_at > reveal_at:
        raise errors.InvalidCampaign("the reveal can't come before the deadline", field="reveal_at")
    if closes_at <= clock.now():
        raise errors.InvalidCampaign("the deadline is in the past", field="closes_at")


def mark_opened(*, campaign_id: int, by: int | None) -> Campaign:
    """Stamp the opening and who of the staff asked for it, None for a command.

    Part of `redpackets.actions.openings.open`. Raises CampaignAlreadyOpened, or OpeningChecksFailed after the deadline.
    """
    changed = Campaign.objects.filter(
        pk=campaign_id, opened_at=None, closes_at__gt=DatabaseNow()
    ).update(opened_at=DatabaseNow(), opened_by=by)  # fmt: skip
    campaign = Campaign.objects.get(pk=campaign_id)
    if not changed:
        if campaign.opened_at is None:
            raise errors.OpeningChecksFailed("the deadline is in the past", failed=["deadline-ahead"])
        raise errors.CampaignAlreadyOpened
    events.broadcast(
        campaign_id=campaign_id,
        payload=events.CampaignOpened(
            campaign=campaign.slug,
            opens_at=campaign.opens_at.isoformat(),
            closes_at=campaign.closes_at.isoformat(),
        ),
    )
    return campaign


def freeze(*, campaign_id: int, unless: Callable[[], bool] | None = None) -> bool:
    """Stamp the freeze of a campaign whose deadline has passed, under the exclusive gate.

    True if the campaign is frozen when this returns; False if the gate was not to be had in 300 ms, or if a vote or an
    announced change that was due by the deadline is not through: try again in 200 ms. `unless` is what apps above have
    to finish before; it is asked under the gate, where no change of the rules comes in between. Until then the deadline
    itself refuses what comes late, so a late freeze costs nothing.
    """
    try:
        with transaction.atomic(durable=True):
            gate.close(campaign_id)
            if not rulechanges.awaited(campaign_id=campaign_id) and not (unless and unless()):
                _stamp_freeze(campaign_id)
            return Campaign.objects.filter(pk=campaign_id, frozen_at__isnull=False).exists()
    except gate.Held:
        return False


def _stamp_freeze(campaign_id: int) -> None:
    changed = Campaign.objects.filter(
        pk=campaign_id, opened_at__isnull=False, frozen_at=None, closes_at__lte=DatabaseNow()
    ).update(frozen_at=DatabaseNow())
    campaign = Campaign.objects.get(pk=campaign_id)
    if changed and campaign.frozen_at:
        frozen = events.CampaignFrozen(campaign=campaign.slug, frozen_at=campaign.frozen_at.isoformat())
        events.broadcast(campaign_id=campaign_id, payload=frozen)


def mark_settling(*, campaign_id: int) -> None:
    """Stamp that the split has begun; part of a settlement's first stage. Harmless when repeated."""
    Campaign.objects.filter(pk=campaign_id, frozen_at__isnull=False, settling_at=None).update(settling_at=DatabaseNow())


def mark_settled(*, campaign_id: int, winners: int) -> None:
    """Stamp that the split is sealed and publish the draw secret; part of the seal. Harmless when repeated."""
    campaign = Campaign.objects.get(pk=campaign_id)
    secret = draw_secret(campaign)
    changed = Campaign.objects.filter(
        pk=campaign_id, settling_at__isnull=False, settled_at=None
    ).update(settled_at=DatabaseNow(), draw_secret=secret)  # fmt: skip
    if changed:
        settled = events.CampaignSettled(
            campaign=campaign.slug, winners=winners, reveal_at=campaign.reveal_at.isoformat()
        )
        events.broadcast(campaign_id=campaign_id, payload=settled)


def draw_secret(campaign: Campaign) -> bytes:
    """The 32-byte secret of a campaign's draws. It exists in processes that hold the key ring, never in SQL."""
    return secretkeys.derive(settings.DRAW_KEYS[campaign.draw_key_id], "draw", campaign.public_id)
