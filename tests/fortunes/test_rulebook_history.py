"""What is published of the rules: every version with what it changed and why, and what was announced."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from fortunes import clock as database_clock
from fortunes.actions import rulechanges
from fortunes.models import Amendment, Campaign
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory
from tests.factories.votes import OpenProposalFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

COMING = {"wilds_fill": True, "trading": {"open_trades": 30}}


@pytest.fixture
def season() -> Campaign:
    """One change is announced for tomorrow, and one for the day after."""
    announced = [(timedelta(days=1), COMING), (timedelta(days=2), {"extension_min": 5})]
    return make.SeasonFactory.create(announced=announced)


def get(path: str) -> Any:
    response = APIClient().get(path if path.startswith("http") else f"/api/v1/campaigns/{path}")
    return response.status_code, response.json()


def raise_quota(season: Campaign, per_day: int) -> None:
    rulechanges.change_by_staff(
        campaign_id=season.pk, patch={"quotas": {"code": {"per_day": per_day}}}, by=PlayerFactory.create().pk
    )


def test_every_version_says_what_it_changed_and_why(season: Campaign, clock: Clock) -> None:
    raise_quota(season, 5)
    coming = season.amendments.order_by("pk")[0]
    clock.move_to(coming.takes_force_at)
    rulechanges.apply_due()

    status, page = get(f"{season.slug}/rulebooks")
    assert (status, page["next"]) == (200, None)
    applied, raised, first = page["items"]
    assert [item["version"] for item in page["items"]] == [3, 2, 1]
    assert (first["reason"], first["changes"]) == ("start", [])
    assert (raised["reason"], raised["amendment"], raised["proposal"]) == ("staff", None, None)
    assert raised["changes"] == [{"path": "/quotas/code/per_day", "before": 3, "after": 5}]
    assert (applied["reason"], applied["amendment"]) == ("staff", str(coming.public_id))
    assert [change["path"] for change in applied["changes"]] == ["/trading/open_trades", "/wilds_fill"]

    assert get(f"{season.slug}/rulebooks/2")[1].items() >= raised.items()
    assert get(f"{season.slug}/rulebooks/2")[1]["rules"]["wilds_fill"] is False
    assert get(f"{season.slug}/rules")[1].items() >= applied.items()
    assert get(f"{season.slug}/rules")[1]["rules"]["wilds_fill"] is True
    assert get(f"{season.slug}/rulebooks/4") == (404, get(f"{season.slug}/rulebooks/0")[1])


def test_versions_are_paged(season: Campaign) -> None:
    for per_day in (4, 5, 6, 7):
        raise_quota(season, per_day)
    seen, address = [], f"{season.slug}/rulebooks?limit=2"
    while address:
        page = get(address)[1]
        seen += [item["version"] for item in page["items"]]
        address = page["next"]

    assert seen == [5, 4, 3, 2, 1]


def test_a_rule_that_changes_changes_the_tag_of_the_rules(season: Campaign) -> None:
    client, address = APIClient(), f"/api/v1/campaigns/{season.slug}/rules"
    tag = client.get(address).headers["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304

    raise_quota(season, 5)
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_what_is_announced_and_what_became_of_it(season: Campaign, clock: Clock) -> None:
    status, page = get(f"{season.slug}/amendments")
    later, sooner = page["items"]
    assert (status, [item["state"] for item in page["items"]]) == (200, ["announced", "announced"])
    assert sooner["patch"] == COMING
    assert sooner["changes"] == [
        {"path": "/trading/open_trades", "before": 20, "after": 30},
        {"path": "/wilds_fill", "before": False, "after": True},
    ]
    assert (later["name"]["en"], later["version"], later["ended_at"]) == ("The steal card", None, None)

    vote = OpenProposalFactory.create(campaign=season)
    row = Amendment.objects.get(public_id=later["id"])
    Amendment.objects.filter(pk=row.pk).update(struck_at=database_clock.now(), struck_by=vote)
    clock.move_to(Amendment.objects.get(public_id=sooner["id"]).takes_force_at)
    rulechanges.apply_due()
    later, sooner = get(f"{season.slug}/amendments")[1]["items"]

    assert (later["state"], later["struck_by"]) == ("struck", str(vote.public_id))
    assert (sooner["state"], sooner["version"]) == ("in-force", 2)
    assert sooner["ended_at"] is not None
    # What it did, though in the rules of today it would change nothing.
    assert [change["before"] for change in sooner["changes"]] == [20, False]


@pytest.mark.usefixtures("rewritable")
def test_what_is_not_possible_any_more_changes_nothing(season: Campaign) -> None:
    row = season.amendments.order_by("pk")[0]
    Amendment.objects.filter(pk=row.pk).update(impossible={"text": "for a reason"}, changes={"luck": 1})
    _, item = get(f"{season.slug}/amendments")[1]["items"]

    assert (item["state"], item["changes"], item["patch"]) == ("impossible", [], {"luck": 1})


@pytest.mark.parametrize("below", ["rulebooks", "rulebooks/1", "amendments"])
def test_drafts_and_unknown_campaigns_look_the_same(below: str) -> None:
    draft = make.DraftSeasonFactory.create()
    for slug in (draft.slug, "nowhere"):
        status, problem = get(f"{slug}/{below}")
        assert (status, problem["code"]) == (404, "campaign-not-found")
