"""Campaigns: what can't be made, how phases follow, what everybody is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from fortunes import clock as database_clock
from fortunes import errors, secretkeys
from fortunes.actions import campaigns, feeds
from fortunes.models import Campaign, Rulebook
from fortunes.phases import Phase
from tests.factories import cards as make
from tests.factories.fortunes import RULES, CampaignFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


def test_a_draft_has_its_rules_and_its_commitment() -> None:
    campaign = CampaignFactory.create()

    assert campaign.phase(database_clock.now()) is Phase.DRAFT
    assert Rulebook.objects.get(campaign=campaign).version == 1
    assert bytes(campaign.draw_commitment) == secretkeys.commitment(campaigns.draw_secret(campaign))
    assert campaign.draw_secret is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"tz": "Mars/Olympus"}, "tz"),
        ({"tz": "../etc/passwd"}, "tz"),
        ({"tz": ""}, "tz"),
        ({"opens": 2, "closes": 1}, "closes_at"),
        ({"opens": 1, "closes": 1}, "closes_at"),
        ({"opens": -3, "closes": -1}, "closes_at"),
        ({"reveal": 1}, "reveal_at"),
    ],
)
def test_what_is_no_campaign(fields: dict[str, Any], field: str) -> None:
    now = database_clock.now()
    hours = {"opens": 1, "closes": 2, "reveal": 3} | {name: value for name, value in fields.items() if name != "tz"}
    instants = {f"{name}_at": now + timedelta(hours=value) for name, value in hours.items()}
    if "reveal" not in fields:
        instants["reveal_at"] = instants["closes_at"]

    with pytest.raises(errors.InvalidCampaign) as refused:
        CampaignFactory.create(tz=fields.get("tz", "UTC"), **instants)
    assert refused.value.facts == {"field": field}


def test_instants_without_a_time_zone_are_refused() -> None:
    naive = database_clock.now().replace(tzinfo=None)
    with pytest.raises(errors.InvalidCampaign):
        CampaignFactory.create(opens_at=naive)


@pytest.mark.parametrize(
    "rules",
    [
        {"weights": {"patriotism": 0}},
        {"weights": {}},
        {"weights": {"patriotism": -1}},
        {"weights": {"patriotism": 10**9}},
        {"weights": {"patriotism": 0.5}},
        {"complete_set": ["luck"]},
        {"complete_set": []},
        {"caps": {"patriotism": {"units": 5}}},
        {"quotas": {}},
        {"quotas": {"code": {"per_day": -1, "per_campaign": 1}}},
        {"more": 1},
    ],
)
def test_what_are_no_rules(rules: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidRules):
        CampaignFactory.create(rulebook=RULES | rules)
    assert not Campaign.objects.filter(rulebooks=None).exists()


def test_the_database_refuses_instants_out_of_order() -> None:
    campaign = CampaignFactory.create()
    for wrong in (
        {"closes_at": campaign.opens_at},
        {"reveal_at": campaign.opens_at},
        {"frozen_at": campaign.closes_at},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Campaign.objects.filter(pk=campaign.pk).update(**wrong)


def test_phases_by_the_database_s_clock(clock: Clock) -> None:
    now = database_clock.now()
    season = make.SeasonFactory.create(opens_at=now + timedelta(hours=1))
    seen = [season.phase(database_clock.now())]
    clock.move_to(season.opens_at)
    seen.append(season.phase(database_clock.now()))
    assert campaigns.freeze(campaign_id=season.pk) is False
    clock.move_to(season.closes_at)
    seen.append(season.phase(database_clock.now()))
    assert campaigns.freeze(campaign_id=season.pk) is True
    season.refresh_from_db()
    seen.append(season.phase(season.opens_at))

    assert seen == [Phase.WARMUP, Phase.LIVE, Phase.FROZEN, Phase.FROZEN]


def test_everybody_is_told_of_the_opening_and_the_freeze_once(clock: Clock) -> None:
    season = make.SeasonFactory.create()
    clock.move_to(season.closes_at)
    campaigns.freeze(campaign_id=season.pk)
    campaigns.freeze(campaign_id=season.pk)

    told = feeds.broadcasts_after(campaign_id=season.pk, seq=0)
    assert [(notice.seq, notice.event) for notice in told] == [(1, "campaign.opened"), (2, "campaign.frozen")]


def test_opening_twice_is_refused() -> None:
    season = make.SeasonFactory.create()
    with pytest.raises(errors.CampaignAlreadyOpened):
        campaigns.mark_opened(campaign_id=season.pk, by=None)


def test_the_secret_is_not_published_before_the_seal() -> None:
    season = make.SeasonFactory.create()
    with pytest.raises(IntegrityError, match="campaign_secret_after_the_seal"), transaction.atomic():
        Campaign.objects.filter(pk=season.pk).update(draw_secret=campaigns.draw_secret(season))
