"""How a pool is shared, as staff say it on the forms of a draft."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from fortunes import rulebooks, rules
from fortunes.models import Campaign
from redpackets.admin.splitforms import SplitForm, initial
from redpackets.models import Pool
from tests.admin.test_campaigns import page, preset
from tests.factories.cards import DraftSeasonFactory

pytestmark = pytest.mark.django_db

EVEN = {"mode": "even", "remainder": "share"}


def split_of(campaign: Campaign) -> dict[str, Any]:
    split: dict[str, Any] = rulebooks.in_force(campaign.pk).rules["split"]
    return split


@pytest.mark.parametrize(
    ("typed", "split"),
    [
        (EVEN, {**EVEN, "minimum_fen": 0, "jackpots": []}),
        (
            {"mode": "random", "remainder": "share", "minimum_yuan": "1.23"},
            {"mode": "random", "remainder": "share", "minimum_fen": 123, "jackpots": []},
        ),
        (
            {"mode": "tiered", "remainder": "return", "jackpots": "1 × 888.00\n10 x 8.8"},
            {
                "mode": "tiered", "remainder": "return", "minimum_fen": 0,
                "jackpots": [{"count": 1, "prize_fen": 88_800}, {"count": 10, "prize_fen": 880}],
            },
        ),
    ],
)  # fmt: skip
def test_the_preset_draws_up_each_split(boss: Client, typed: dict[str, Any], split: dict[str, Any]) -> None:
    form = preset(**{"minimum_yuan": "", "jackpots": "", **typed})
    assert boss.post("/admin/fortunes/campaign/five-fortunes/", form).status_code == 302
    campaign = Campaign.objects.get(slug=form["slug"])
    assert split_of(campaign) == split
    assert campaign.pool.amount_fen == 21_500_000_007


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"mode": "even", "minimum_yuan": "1"}, "minimum_yuan"),
        ({"mode": "random", "remainder": "return"}, "remainder"),
        ({"mode": "tiered"}, "jackpots"),
        ({"mode": "even", "jackpots": "1 × 8"}, "jackpots"),
        ({"mode": "tiered", "jackpots": "some"}, "jackpots"),
        ({"mode": "lottery"}, "mode"),
    ],
)
def test_what_does_not_fit_together_is_told(typed: dict[str, Any], field: str) -> None:
    form = SplitForm({**EVEN, **typed})
    assert list(form.errors) == [field]


class TestPoolOfADraft:
    def test_the_form_shows_the_rules_in_force_and_changes_them(self, boss: Client) -> None:
        jackpots = [{"count": 2, "prize_fen": 500}]
        campaign = DraftSeasonFactory(rulebook={"split": {"mode": "tiered", "jackpots": jackpots}})
        shown = boss.get(page(campaign, "pool/")).content.decode()
        assert "2 × 5.00" in shown

        boss.post(
            page(campaign, "pool/"),
            {"pool_yuan": "12.34", "mode": "random", "remainder": "share", "minimum_yuan": "0.10", "jackpots": ""},
        )

        assert split_of(campaign) == {"mode": "random", "remainder": "share", "minimum_fen": 10, "jackpots": []}
        assert rulebooks.in_force(campaign.pk).version == 2
        assert Pool.objects.get(campaign=campaign).amount_fen == 1_234

    def test_one_that_says_the_same_writes_no_new_version(self, boss: Client) -> None:
        campaign = DraftSeasonFactory()
        boss.post(page(campaign, "pool/"), {"pool_yuan": "12.34", **EVEN})
        assert rulebooks.in_force(campaign.pk).version == 1
        assert Pool.objects.filter(campaign=campaign).exists()


def test_fields_show_the_minimum_in_yuan() -> None:
    split = rules.Split(mode="random", minimum_fen=105)
    assert initial(split)["minimum_yuan"] == Decimal("1.05")
