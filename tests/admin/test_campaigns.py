"""A season from the preset to the opening, by the admin's forms and buttons."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client

from fortunes import clock, rulebooks
from fortunes.models import Campaign
from redpackets import ledger
from redpackets.models import LedgerEntry, Pool, Settlement
from tests.admin.conftest import member_of_staff, signed_in
from tests.factories.cards import DraftSeasonFactory, SeasonFactory
from tests.factories.redpackets import PoolFactory

STAFF_TIME = ZoneInfo(settings.STAFF_TIME_ZONE)


def page(campaign: Campaign, below: str = "change/") -> str:
    return f"/admin/fortunes/campaign/{campaign.pk}/{below}"


def typed(days: float) -> str:
    """A date and time as a browser sends it."""
    return (clock.now() + timedelta(days=days)).astimezone(STAFF_TIME).strftime("%Y-%m-%dT%H:%M:%S")


def preset(**changes: Any) -> dict[str, Any]:
    """The form of a new season, filled in."""
    weights = {f"weight_{slug}": 20 for slug in ("patriotism", "prosperity", "harmony", "friendliness", "dedication")}
    return {
        "preset": "five_fortunes", "slug": f"season-{secrets.token_hex(4)}",
        "name_zh": "元宵集福", "name_en": "Lanterns", "tz": "Asia/Shanghai",
        "opens_at": typed(1), "closes_at": typed(11), "reveal_at": typed(11.5), **weights,
        "cap_units": 500, "cap_tranches": 10, "per_day": 4, "per_campaign": 20,
        "pool_yuan": "215000000.07", "mode": "even", "remainder": "return", "credit_after_hours": 48, **changes,
    }  # fmt: skip


def said(response: HttpResponse) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def met(response: HttpResponse) -> dict[str, bool]:
    return {check.slug: check.ok for check in response.context["checks"]}


class TestPreset:
    def create(self, boss: Client, **changes: Any) -> Any:
        return boss.post("/admin/fortunes/campaign/five-fortunes/", preset(**changes))

    def test_makes_a_draft_with_its_rules_and_pool(self, boss: Client) -> None:
        opens_at = (clock.now() + timedelta(days=1)).replace(microsecond=0)
        response = self.create(
            boss, slug="lanterns", opens_at=opens_at.astimezone(STAFF_TIME).strftime("%Y-%m-%dT%H:%M:%S")
        )
        campaign = Campaign.objects.get(slug="lanterns")
        assert response.url == page(campaign)
        assert (campaign.name_zh, campaign.opens_at, campaign.opened_at) == ("元宵集福", opens_at, None)
        rules = rulebooks.in_force(campaign.pk).rules
        assert rules["caps"] == {"dedication": {"units": 500, "tranches": 10}}
        assert rules["quotas"]["code"] == {"per_day": 4, "per_campaign": 20}
        assert set(rules["weights"].values()) == {20}
        pool = campaign.pool
        assert (pool.amount_fen, pool.credit_after_s) == (21_500_000_007, 48 * 3600)
        assert (rules["split"]["mode"], rules["split"]["remainder"]) == ("even", "return")

    def test_special_cards_are_there_where_they_have_a_weight(self, boss: Client) -> None:
        special = {"weight_wild": 3, "weight_steal": 0, "weight_copy": "", "specials": ["wild", "steal"]}
        self.create(boss, slug="wild-ones", **special, wilds_fill="on")
        campaign = Campaign.objects.get(slug="wild-ones")
        assert list(campaign.kinds.order_by("ordinal").values_list("slug", "role"))[5:] == [("wild", "wild")]
        rules = rulebooks.in_force(campaign.pk).rules
        assert (rules["weights"]["wild"], rules["specials"], rules["wilds_fill"]) == (3, ["wild", "steal"], True)
        assert not {"steal", "copy"} & set(rules["weights"])

    def test_the_season_of_2017_comes_with_its_announcement_and_its_vote(self, boss: Client) -> None:
        self.create(boss, slug="of-2017", preset="five_fortunes_2017", weight_steal=7, specials=["steal"])
        campaign = Campaign.objects.get(slug="of-2017")
        rules = rulebooks.in_force(campaign.pk).rules
        assert (rules["weights"]["steal"], rules["specials"]) == (0, [])
        assert campaign.amendments.get().changes == {"weights": {"steal": 7}, "specials": ["steal"]}
        assert campaign.proposals.get().drafted_by == campaign.amendments.get().announced_by

    def test_unopened_packets_may_wait_for_ever(self, boss: Client) -> None:
        self.create(boss, slug="patient", credit_after_hours="")
        assert Pool.objects.get(campaign__slug="patient").credit_after_s is None

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("preset", "five_fortunes_1917"),
            ("slug", "Not a slug"),
            ("tz", "Mars/Olympus"),
            ("tz", "../etc/passwd"),
            ("closes_at", "2020-01-01T00:00:00"),
            ("closes_at", "soon"),
            ("reveal_at", "2020-01-01T00:00:00"),
            ("cap_units", 5),
            ("per_day", 0),
            ("per_day", 10**30),
            ("weight_dedication", -1),
            ("weight_wild", -1),
            ("specials", ["joker"]),
            ("pool_yuan", "0"),
            ("pool_yuan", "-5"),
            ("pool_yuan", "0.001"),
            ("pool_yuan", "1e30"),
            ("pool_yuan", "NaN"),
            ("name_zh", "福\0"),
        ],
    )
    def test_bad_input_is_shown_at_its_field_and_changes_nothing(self, boss: Client, field: str, value: Any) -> None:
        before = Campaign.objects.count()
        response = self.create(boss, **{field: value})
        errors = response.context["adminform"].form.errors
        assert set(errors) == {"cap_tranches" if field == "cap_units" else field} or "2020" in str(value)
        assert errors
        assert Campaign.objects.count() == before

    def test_slug_is_unique(self, boss: Client) -> None:
        self.create(boss, slug="twice")
        assert "slug" in self.create(boss, slug="twice").context["adminform"].form.errors

    def test_plus_button_leads_here(self, boss: Client) -> None:
        assert boss.get("/admin/fortunes/campaign/add/").url == "/admin/fortunes/campaign/five-fortunes/"
        assert boss.get("/admin/fortunes/campaign/five-fortunes/").status_code == 200


class TestFunding:
    def test_checks_turn_green(self, boss: Client) -> None:
        campaign = PoolFactory(funded=False).campaign
        assert not met(boss.get(page(campaign)))["pool-funded"]
        form = boss.get(page(campaign, "funding/")).context["adminform"].form
        boss.post(page(campaign, "funding/"), {name: form[name].value() for name in form.fields})
        assert all(met(boss.get(page(campaign))).values())

    def test_pressing_twice_posts_once(self, boss: Client) -> None:
        pool = PoolFactory(funded=False)
        body = {"yuan": "1000.00", "business_key": f"bank:{secrets.token_hex(8)}"}
        for _ in range(2):
            assert not said(boss.post(page(pool.campaign, "funding/"), body))
        assert ledger.funded_fen(pool.pk) == 100_000
        assert LedgerEntry.objects.filter(business_key=body["business_key"]).count() == 1

    def test_too_much_is_refused_with_a_message(self, boss: Client) -> None:
        pool = PoolFactory(funded=False)
        response = boss.post(page(pool.campaign, "funding/"), {"yuan": "1000.01", "business_key": "bank:1"})
        assert said(response) == ["This is more than the pool still needs."]
        assert ledger.funded_fen(pool.pk) == 0

    def test_campaign_without_a_pool_gets_one_first(self, boss: Client) -> None:
        campaign = DraftSeasonFactory()
        assert boss.get(page(campaign, "funding/")).url == page(campaign, "pool/")
        boss.post(page(campaign, "pool/"), {"pool_yuan": "12.34", "mode": "even", "remainder": "share"})
        assert Pool.objects.get(campaign=campaign).amount_fen == 1234


class TestOpening:
    def test_button_opens(self, boss: Client) -> None:
        campaign = PoolFactory().campaign
        assert "Open</" in "".join(boss.get(page(campaign)).content.decode().split())
        response = boss.post(page(campaign, "opening/"))
        assert response.url == page(campaign)
        campaign.refresh_from_db()
        assert campaign.opened_at
        assert Settlement.objects.filter(pool__campaign=campaign).exists()
        assert said(response) == [f"{campaign} has been opened."]
        assert LogEntry.objects.get(object_id=str(campaign.pk)).get_change_message() == "opened"

    def test_red_check_means_no_button_and_a_refusal(self, boss: Client) -> None:
        campaign = PoolFactory(funded=False).campaign
        assert page(campaign, "opening/") not in boss.get(page(campaign)).content.decode()
        (message,) = said(boss.post(page(campaign, "opening/")))
        assert "pool-funded" in message
        campaign.refresh_from_db()
        assert campaign.opened_at is None

    def test_twice_is_refused(self, boss: Client) -> None:
        campaign = SeasonFactory()
        assert said(boss.post(page(campaign, "opening/"))) == ["The campaign has already been opened."]

    def test_needs_a_post_with_a_token(self, boss: Client) -> None:
        campaign = PoolFactory().campaign
        assert boss.get(page(campaign, "opening/")).status_code == 405
        strict = Client(enforce_csrf_checks=True, cookies=None)
        strict.cookies = boss.cookies
        assert strict.post(page(campaign, "opening/")).status_code == 403
        campaign.refresh_from_db()
        assert campaign.opened_at is None

    def test_missing_campaign(self, boss: Client) -> None:
        assert said(boss.post("/admin/fortunes/campaign/999999999/opening/")) == ["There is no such campaign."]

    @pytest.mark.parametrize("below", ["opening/", "funding/", "pool/"])
    @pytest.mark.parametrize("permission", ["fortunes.view_campaign", "fortunes.add_campaign"])
    def test_needs_the_permission(self, db: None, below: str, permission: str) -> None:
        campaign = PoolFactory().campaign
        watcher = signed_in(member_of_staff(permission))
        assert watcher.post(page(campaign, below)).status_code == 403

    def test_player_is_sent_to_sign_in(self, db: None) -> None:
        campaign = PoolFactory().campaign
        player = member_of_staff("fortunes.change_campaign")
        player.is_staff = False
        player.save(update_fields=["is_staff"])
        assert "/admin/login/" in signed_in(player).post(page(campaign, "opening/")).url

    def test_watcher_sees_checks_but_no_buttons(self, db: None) -> None:
        campaign = PoolFactory().campaign
        response = signed_in(member_of_staff("fortunes.view_campaign")).get(page(campaign))
        assert all(met(response).values())
        assert page(campaign, "opening/") not in response.content.decode()


class TestDraft:
    def change(self, boss: Client, campaign: Campaign, **changes: Any) -> Any:
        body = {"name_zh": campaign.name_zh, "name_en": campaign.name_en, "tz": campaign.tz}
        instants = {"opens_at": typed(1), "closes_at": typed(11), "reveal_at": typed(11)}
        return boss.post(page(campaign), body | instants | changes)

    def test_names_and_instants_may_change(self, boss: Client) -> None:
        campaign = DraftSeasonFactory()
        assert self.change(boss, campaign, name_en="Lanterns", opens_at=typed(2)).status_code == 302
        changed = Campaign.objects.get(pk=campaign.pk)
        assert changed.name_en == "Lanterns"
        assert changed.opens_at > campaign.opens_at
        assert bytes(changed.draw_commitment) == bytes(campaign.draw_commitment)

    def test_instants_stay_in_order(self, boss: Client) -> None:
        response = self.change(boss, DraftSeasonFactory(), reveal_at=typed(5))
        assert set(response.context["adminform"].form.errors) == {"reveal_at"}

    def test_nothing_changes_after_the_opening(self, boss: Client) -> None:
        campaign = SeasonFactory()
        assert "checks" not in boss.get(page(campaign)).context
        assert self.change(boss, campaign, name_en="Other").status_code == 403
        for below in ("pool/", "funding/"):
            assert boss.post(page(campaign, below), {"pool_yuan": "1", "remainder": "share"}).status_code == 403
        assert Campaign.objects.get(pk=campaign.pk).name_en == campaign.name_en

    def test_phase_is_by_the_database_clock(self, boss: Client, clock: Any) -> None:
        campaign = SeasonFactory()
        assert "live" in boss.get("/admin/fortunes/campaign/").content.decode()
        clock.move_to(campaign.closes_at)
        assert boss.get(page(campaign)).context["original"].phase(clock.now()) == "frozen"
        assert "frozen" in boss.get(f"/admin/fortunes/campaign/?q={campaign.slug}").content.decode()
