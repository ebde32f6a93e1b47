"""The ledger's doorway and what keeps its rows as they are."""

from __future__ import annotations

from functools import partial

import psycopg
import pytest
from django.db import DatabaseError, transaction

from fortunes import sql
from redpackets import ledger
from redpackets.models import LedgerEntry, Pool, Wallet
from tests.factories import redpackets as make
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.django_db


def sqlstate(error: Exception) -> str | None:
    return getattr(error.__cause__ or error, "sqlstate", None)


def test_a_posting_happens_once() -> None:
    pool, player = make.PoolFactory.create(), PlayerFactory.create()
    post = partial(
        ledger.post,
        source=ledger.pool(pool.pk),
        destination=ledger.wallet(player.pk),
        amount_fen=5,
        business_key="once",
    )

    with transaction.atomic():
        assert post() is True
        assert post() is False
        assert Wallet.objects.get(player=player).balance_fen == 5
        assert LedgerEntry.objects.filter(business_key="once").count() == 1
        transaction.set_rollback(True)


def test_nothing_leaves_a_wallet() -> None:
    with transaction.atomic(), pytest.raises(ValueError, match="wallet"):
        ledger.post(source=ledger.wallet(1), destination=ledger.pool(1), amount_fen=5, business_key="k")


@pytest.mark.parametrize(("amount_fen", "source_owner"), [(0, 1), (-1, 1), (1, 2)])
def test_the_database_refuses_postings_that_move_nothing(amount_fen: int, source_owner: int) -> None:
    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        LedgerEntry.objects.create(
            source_kind="pool", source_owner=source_owner, destination_kind="pool", destination_owner=2,
            amount_fen=amount_fen, business_key="k",
        )  # fmt: skip
    assert sqlstate(refusal.value) == "23514"


@pytest.mark.parametrize("table", ["redpackets_ledgerentry", "redpackets_payout"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {} SET amount_fen = amount_fen + 1", "DELETE FROM {}", "TRUNCATE {}", "SELECT * FROM {} FOR UPDATE"],
)
def test_the_application_may_not_change_what_is_append_only(table: str, statement: str) -> None:
    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        sql.execute(statement.format(table))
    assert sqlstate(refusal.value) == "42501"


@pytest.mark.parametrize("table", ["redpackets_ledgerentry", "redpackets_payout"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET amount_fen = amount_fen + 1", "DELETE FROM {}", "TRUNCATE {}"])
def test_nor_may_its_owner(owner_connection: psycopg.Connection, table: str, statement: str) -> None:
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner_connection.execute(statement.format(table))


def test_no_negative_wallet_and_no_pool_beyond_the_limit() -> None:
    pool, player = make.PoolFactory.create(), PlayerFactory.create()
    with pytest.raises(DatabaseError), transaction.atomic():
        Wallet.objects.create(player=player, balance_fen=-1)
    for amount_fen in (0, -1, 2**39):
        with pytest.raises(DatabaseError), transaction.atomic():
            Pool.objects.filter(pk=pool.pk).update(amount_fen=amount_fen)
