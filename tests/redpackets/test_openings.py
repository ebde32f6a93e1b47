"""Opening a campaign: what is checked, what it makes, and that it happens once."""

from __future__ import annotations

from typing import Any

import pytest

from cards.models import CardKind, Source, StockTranche
from fortunes.errors import CampaignAlreadyOpened, CampaignNotFound, OpeningChecksFailed
from fortunes.models import Broadcast, Campaign, Rulebook
from redpackets.actions import openings
from redpackets.models import Pool, Settlement
from tests.factories import redpackets as make
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


def failed(pool: Pool) -> list[str]:
    """What the checks say is red, and that the opening refuses just that."""
    red = [check.slug for check in openings.checks(campaign_id=pool.campaign_id) if not check.ok]
    with pytest.raises(OpeningChecksFailed) as refusal:
        openings.open(campaign_id=pool.campaign_id)
    assert refusal.value.facts == {"failed": red}
    assert not Settlement.objects.filter(pool=pool).exists()
    assert Campaign.objects.get(pk=pool.campaign_id).opened_at is None
    return red


def change_rules(pool: Pool, **rules: Any) -> None:
    changed = make.ONE_CARD | rules
    Rulebook.objects.create(campaign=pool.campaign, version=2, rules=changed, reason=Rulebook.Reason.STAFF)


def test_all_green_opens() -> None:
    pool = make.PoolFactory.create(campaign__rulebook=make.ONE_CARD | {
        "weights": {"patriotism": 1, "dedication": 1}, "caps": {"dedication": {"units": 10, "tranches": 2}}
    })  # fmt: skip

    assert all(check.ok for check in openings.checks(campaign_id=pool.campaign_id))
    campaign = openings.open(campaign_id=pool.campaign_id)

    assert campaign.opened_at
    run = Settlement.objects.get(pool=pool)
    assert (run.state, run.due_at, run.amount_fen) == ("freeze", campaign.closes_at, 100_000)
    assert StockTranche.objects.filter(campaign=campaign).count() == 2
    assert Broadcast.objects.filter(campaign=campaign, type="campaign.opened").count() == 1


def test_special_kinds() -> None:
    pool = make.PoolFactory.create()

    def add(slug: str, role: CardKind.Role) -> None:
        ordinal = CardKind.objects.filter(campaign=pool.campaign).count()
        CardKind.objects.create(
            campaign=pool.campaign, ordinal=ordinal, slug=slug, role=role, name_zh="福", name_en=slug
        )

    add("wild", CardKind.Role.WILD)
    add("steal", CardKind.Role.STEAL)
    assert all(check.ok for check in openings.checks(campaign_id=pool.campaign_id))
    former = Rulebook.objects.get(campaign=pool.campaign).rules
    change_rules(pool, **former | {"weights": {"patriotism": 1, "wild": 1}, "complete_set": ["patriotism", "wild"]})
    add("thief", CardKind.Role.STEAL)

    assert failed(pool) == ["special-kinds"]
    (check,) = (check for check in openings.checks(campaign_id=pool.campaign_id) if not check.ok)
    assert check.detail == "steal, thief, wild"


def test_opened_once() -> None:
    run = make.SettlementFactory.create()

    with pytest.raises(CampaignAlreadyOpened):
        openings.open(campaign_id=run.pool.campaign_id)
    with pytest.raises(CampaignNotFound):
        openings.open(campaign_id=0)


def test_every_check_has_a_title_in_words() -> None:
    for check in openings.checks(campaign_id=make.PoolFactory.create().campaign_id):
        assert len(str(check.title)) > 10


def test_no_pool() -> None:
    campaign = make.DraftFactory.create()

    red = [check.slug for check in openings.checks(campaign_id=campaign.pk) if not check.ok]

    assert red == ["pool-exists", "pool-funded", "settlement-commitment"]


@pytest.mark.parametrize("fen", [0, 99_999])
def test_an_unfunded_pool(fen: int) -> None:
    pool = make.PoolFactory.create(funded=False)
    if fen:
        make.fund(pool, fen)

    assert failed(pool) == ["pool-funded"]


def test_a_deadline_in_the_past(clock: Clock) -> None:
    pool = make.PoolFactory.create()
    clock.move_to(pool.campaign.closes_at)

    assert failed(pool) == ["deadline-ahead"]


@pytest.mark.parametrize(
    "rules",
    [
        {"weights": {"patriotism": 0}},
        {"weights": {}},
        {"complete_set": []},
        {"complete_set": ["harmony"]},
        {"quotas": {}},
        {"caps": {"patriotism": {"units": 5}}},
        {"weights": "many"},
    ],
)
def test_rules_that_contradict_themselves(rules: dict[str, Any]) -> None:
    pool = make.PoolFactory.create()
    change_rules(pool, **rules)

    assert failed(pool) == ["rules-valid"]


def test_rules_that_name_unknown_kinds_and_sources() -> None:
    pool = make.PoolFactory.create()
    CardKind.objects.filter(campaign=pool.campaign, slug="patriotism").delete()
    Source.objects.filter(campaign=pool.campaign).delete()

    assert failed(pool) == ["kinds-known", "sources-known"]


def test_rules_under_which_nobody_can_scan() -> None:
    pool = make.PoolFactory.create()
    sources = Source.objects.filter(campaign=pool.campaign).values_list("slug", flat=True)
    change_rules(pool, quotas={source: {"per_day": 3, "per_campaign": 0} for source in sources})

    assert failed(pool) == ["scans-allowed"]


def test_a_source_without_a_quota_and_a_quota_without_a_source() -> None:
    pool = make.PoolFactory.create()
    quota = {"per_day": 3, "per_campaign": 9}
    change_rules(pool, quotas={"code": quota, "check-in": quota, "mission": quota})

    found = {check.slug: check.detail for check in openings.checks(campaign_id=pool.campaign_id) if not check.ok}
    assert found == {"quotas-complete": "invitation, support", "sources-known": "mission"}


def test_commitments_that_are_missing_or_of_another_secret(settings: Any) -> None:
    pool = make.PoolFactory.create()
    Pool.objects.filter(pk=pool.pk).update(key_id=None, commitment=None)
    assert failed(pool) == ["settlement-commitment"]

    Pool.objects.filter(pk=pool.pk).update(key_id="k1", commitment=b"\0" * 32)
    Campaign.objects.filter(pk=pool.campaign_id).update(draw_commitment=b"\0" * 32)
    assert failed(pool) == ["draw-commitment", "settlement-commitment"]

    # A web process holds no settlement keys: it sees that one who does has stamped the commitment.
    settings.SETTLEMENT_KEYS = {}
    assert failed(pool) == ["draw-commitment"]
