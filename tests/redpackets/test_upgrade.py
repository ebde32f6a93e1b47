"""What pools said of their split before rulebooks did, and what processes of the version before still write."""

from __future__ import annotations

from importlib import import_module

import psycopg
import pytest

from fortunes import rules
from fortunes.models import Campaign
from redpackets.models import Pool
from tests.factories import redpackets as make

pytestmark = pytest.mark.committed

migration = import_module("redpackets.migrations.0006_split")


def test_the_rule_for_the_remainder_moves_into_the_rulebook_and_back(owner_connection: psycopg.Connection) -> None:
    sharing, returning, silent = (make.PoolFactory.create(funded=False) for _ in range(3))
    owner = owner_connection

    def split(pool: Pool) -> dict[str, object] | None:
        query = "SELECT rules -> 'split' FROM fortunes_rulebook WHERE campaign_id = %s"
        (found,) = owner.execute(query, [pool.campaign_id]).fetchone() or (None,)
        return found

    def remainder(pool: Pool) -> str:
        (found,) = owner.execute("SELECT remainder FROM redpackets_pool WHERE id = %s", [pool.pk]).fetchone() or ("",)
        return found

    with owner.transaction(force_rollback=True):
        former = "UPDATE fortunes_rulebook SET rules = rules - 'split' WHERE campaign_id = ANY (%s)"
        owner.execute(former, [[returning.campaign_id, silent.campaign_id]])
        owner.execute("UPDATE redpackets_pool SET remainder = 'return' WHERE id = %s", [returning.pk])

        owner.execute(migration.WRITE)

        even = {"mode": "even", "minimum_fen": 0, "jackpots": []}
        assert split(sharing) == {**even, "remainder": "share"}
        assert split(returning) == {**even, "remainder": "return"}
        assert split(silent) is None
        for pool in (sharing, returning, silent):
            rulebook = owner.execute(
                "SELECT rules FROM fortunes_rulebook WHERE campaign_id = %s", [pool.campaign_id]
            ).fetchone()
            assert rulebook
            assert rules.parse(rulebook[0]).split.remainder == ("return" if pool == returning else "share")

        owner.execute("UPDATE redpackets_pool SET remainder = 'share'")
        owner.execute(migration.READ)
        assert [remainder(pool) for pool in (sharing, returning, silent)] == ["share", "return", "share"]


def test_a_process_of_the_version_before_can_still_make_a_pool(owner_connection: psycopg.Connection) -> None:
    campaign: Campaign = make.DraftFactory.create()
    with owner_connection.transaction(force_rollback=True):
        owner_connection.execute(
            "INSERT INTO redpackets_pool (campaign_id, amount_fen, mode, remainder, credit_after_s) "
            "VALUES (%s, 5, 'even', 'return', NULL)",
            [campaign.pk],
        )
    pool = make.PoolFactory.create(funded=False)
    query = "SELECT mode, remainder FROM redpackets_pool WHERE id = %s"
    assert owner_connection.execute(query, [pool.pk]).fetchone() == ("even", "share")
