"""A draft that staff save in the admin while somebody else opens it, with a control without the lock."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings

from fortunes.adminsite import IndexedAdmin
from fortunes.models import Campaign
from redpackets.actions import openings
from redpackets.admin import CampaignAdmin
from redpackets.models import Settlement
from tests.admin.conftest import member_of_staff, signed_in
from tests.concurrency.together import PATIENCE_S, together
from tests.factories.redpackets import PoolFactory

pytestmark = pytest.mark.committed


def save_and_open_at_once(monkeypatch: pytest.MonkeyPatch, *, wait_s: float) -> tuple[Campaign, Settlement]:
    """The form puts the deadline off by an hour and is about to save it when the campaign is being opened."""
    campaign = PoolFactory().campaign
    boss = signed_in(member_of_staff("fortunes.view_campaign", "fortunes.change_campaign"))
    judged, opened = threading.Event(), threading.Event()
    save_model = CampaignAdmin.save_model

    def save_later(self: CampaignAdmin, *args: Any) -> None:
        judged.set()
        # With the lock the opening waits for us, and we don't for ever.
        opened.wait(wait_s)
        save_model(self, *args)

    def save() -> int:
        later = campaign.closes_at + timedelta(hours=1)
        body = {
            "name_zh": campaign.name_zh, "name_en": campaign.name_en, "tz": campaign.tz,
            "opens_at": _typed(campaign.opens_at), "closes_at": _typed(later), "reveal_at": _typed(later),
        }  # fmt: skip
        return boss.post(f"/admin/fortunes/campaign/{campaign.pk}/change/", body).status_code

    def open_it() -> None:
        assert judged.wait(PATIENCE_S)
        openings.open(campaign_id=campaign.pk)
        opened.set()

    monkeypatch.setattr(CampaignAdmin, "save_model", save_later)
    assert together(save, open_it)[0] == 302
    return Campaign.objects.get(pk=campaign.pk), Settlement.objects.get(pool__campaign=campaign)


def _typed(instant: datetime) -> str:
    return instant.astimezone(ZoneInfo(settings.STAFF_TIME_ZONE)).strftime("%Y-%m-%dT%H:%M:%S")


def test_opening_waits_for_the_draft_that_is_being_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    campaign, run = save_and_open_at_once(monkeypatch, wait_s=0.5)
    assert campaign.opened_at
    assert run.due_at == campaign.closes_at


def test_control_without_the_lock_the_deadline_moves_after_the_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CampaignAdmin, "get_object", IndexedAdmin.get_object)
    campaign, run = save_and_open_at_once(monkeypatch, wait_s=PATIENCE_S)
    assert run.due_at != campaign.closes_at
    Campaign.objects.filter(pk=campaign.pk).update(closes_at=run.due_at)
