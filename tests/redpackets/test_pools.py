"""Pools: made, committed to, funded; and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from fortunes import secretkeys
from fortunes.errors import CampaignAlreadyOpened, CampaignNotFound
from redpackets import errors, ledger
from redpackets.actions import pools
from redpackets.models import POOL_LIMIT_FEN, LedgerEntry, Pool
from tests.factories import redpackets as make

pytestmark = pytest.mark.django_db


def test_a_pool_commits_to_its_secret_before_anything_else(settings: Any) -> None:
    pool = make.PoolFactory.create(funded=False)

    key = settings.SETTLEMENT_KEYS[pool.key_id]
    secret = secretkeys.derive(key, "settlement", pool.campaign.public_id)
    assert bytes(pool.commitment or b"") == secretkeys.commitment(secret)


def test_where_the_keys_are_missing_the_worker_commits_later(settings: Any) -> None:
    keys, settings.SETTLEMENT_KEYS = settings.SETTLEMENT_KEYS, {}
    pool = make.PoolFactory.create()
    assert (pool.key_id, pool.commitment) == (None, None)
    assert pools.commit_due() == 0

    settings.SETTLEMENT_KEYS = keys
    assert pools.commit_due() >= 1
    assert pools.commit_due() == 0
    assert len(bytes(Pool.objects.get(pk=pool.pk).commitment or b"")) == 32


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"amount_fen": 0}, "amount_fen"),
        ({"amount_fen": -1}, "amount_fen"),
        ({"amount_fen": POOL_LIMIT_FEN}, "amount_fen"),
        ({"credit_after_s": -1}, "credit_after_s"),
    ],
)
def test_a_pool_that_makes_no_sense(given: dict[str, Any], field: str) -> None:
    campaign = make.DraftFactory.create()

    with pytest.raises(errors.InvalidPool) as refusal:
        pools.create(campaign_id=campaign.pk, **{"amount_fen": 1} | given)

    assert refusal.value.facts == {"field": field}
    assert not Pool.objects.filter(campaign=campaign).exists()


def test_one_pool_a_campaign() -> None:
    pool = make.PoolFactory.create()

    with pytest.raises(errors.PoolAlreadyExists):
        pools.create(campaign_id=pool.campaign_id, amount_fen=1)


def test_no_pool_for_a_campaign_that_is_open_or_unknown() -> None:
    run = make.SettlementFactory.create()

    with pytest.raises(CampaignAlreadyOpened):
        pools.create(campaign_id=run.pool.campaign_id, amount_fen=1)
    with pytest.raises(CampaignNotFound):
        pools.create(campaign_id=0, amount_fen=1)


def test_funding_is_a_posting_from_the_sponsor_and_may_come_in_parts() -> None:
    pool = make.PoolFactory.create(funded=False, amount_fen=100)

    pools.fund(pool_id=pool.pk, amount_fen=60, business_key=f"a:{pool.pk}")
    pools.fund(pool_id=pool.pk, amount_fen=40, business_key=f"b:{pool.pk}")

    entries = LedgerEntry.objects.filter(source_kind="sponsor", source_owner=pool.campaign_id)
    assert sorted(entries.values_list("destination_owner", "amount_fen")) == [(pool.pk, 40), (pool.pk, 60)]
    assert ledger.funded_fen(pool.pk) == 100


def test_funding_again_under_the_same_business_key_changes_nothing() -> None:
    pool = make.PoolFactory.create(funded=False, amount_fen=100)

    for _ in range(2):
        pools.fund(pool_id=pool.pk, amount_fen=100, business_key=f"a:{pool.pk}")

    assert ledger.funded_fen(pool.pk) == 100


def test_a_business_key_means_one_thing() -> None:
    pool, other = (
        make.PoolFactory.create(funded=False, amount_fen=100),
        make.PoolFactory.create(funded=False, amount_fen=100),
    )
    pools.fund(pool_id=pool.pk, amount_fen=60, business_key=f"a:{pool.pk}")

    for pool_id, amount_fen in ((pool.pk, 40), (other.pk, 60)):
        with pytest.raises(errors.BusinessKeyReused):
            pools.fund(pool_id=pool_id, amount_fen=amount_fen, business_key=f"a:{pool.pk}")


@pytest.mark.parametrize("key", ["payout:1:2", "return:1", "", "k" * 65])
def test_business_keys_that_belong_to_the_settlement_or_to_nobody(key: str) -> None:
    pool = make.PoolFactory.create(funded=False)

    with pytest.raises(errors.InvalidBusinessKey):
        pools.fund(pool_id=pool.pk, amount_fen=1, business_key=key)


def test_no_more_than_the_pool() -> None:
    pool = make.PoolFactory.create(funded=False, amount_fen=100)
    pools.fund(pool_id=pool.pk, amount_fen=60, business_key=f"a:{pool.pk}")

    with pytest.raises(errors.PoolOverfunded) as refusal:
        pools.fund(pool_id=pool.pk, amount_fen=41, business_key=f"b:{pool.pk}")

    assert refusal.value.facts == {"missing_fen": 40}
    assert ledger.funded_fen(pool.pk) == 60


@pytest.mark.parametrize("amount_fen", [0, -5])
def test_nothing_and_less_than_nothing(amount_fen: int) -> None:
    pool = make.PoolFactory.create(funded=False)

    with pytest.raises(errors.InvalidAmount):
        pools.fund(pool_id=pool.pk, amount_fen=amount_fen, business_key="a")
    with pytest.raises(errors.PoolNotFound):
        pools.fund(pool_id=0, amount_fen=1, business_key="a")
