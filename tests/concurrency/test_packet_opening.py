"""One packet opened many times at once, also against the sweeper."""

from __future__ import annotations

from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import transaction

from accounts.models import Player
from fortunes import sql
from redpackets import ledger
from redpackets.actions import settlements
from redpackets.models import LedgerEntry, Settlement, Wallet
from tests.concurrency.together import together
from tests.factories import redpackets as make
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.committed


@pytest.fixture
def players() -> list[Player]:
    players: list[Player] = PlayerFactory.create_batch(30)
    return players


@pytest.fixture
def run(clock: Clock, players: list[Player]) -> Settlement:
    """A split pool whose reveal has come; unopened packets are due to be credited."""
    run = make.SettlementFactory.create(pool__credit_after_s=0, pool__amount_fen=10_007)
    make.complete(run.pool.campaign, players)
    make.close(clock, run)
    run = make.split(run)
    make.reveal(clock, run)
    return run


def test_one_packet_opened_by_32_requests_at_once(run: Settlement, players: list[Player]) -> None:
    alice = players[0]
    due = make.payouts(run)[alice.pk]

    answers = together(*[partial(make.open_packet, run, alice)] * 32)

    assert {(answer.amount_fen, answer.wallet_balance_fen) for answer in answers} == {(due, due)}
    assert len({answer.opened_at for answer in answers}) == 1
    assert LedgerEntry.objects.filter(destination_kind="wallet", destination_owner=alice.pk).count() == 1
    assert Wallet.objects.get(player=alice).balance_fen == due


def test_one_request_that_arrives_16_times(run: Settlement, players: list[Player]) -> None:
    answers = together(*[partial(make.open_packet, run, players[0], key="one")] * 16)

    assert len({str(answer) for answer in answers}) == 1
    assert LedgerEntry.objects.filter(destination_kind="wallet", destination_owner=players[0].pk).count() == 1


def test_everybody_opens_while_the_sweeper_credits(run: Settlement, players: list[Player]) -> None:
    opened = [partial(make.open_packet, run, player) for player in players]

    outcomes = together(*opened, *[settlements.credit_due] * 3)

    paid = make.payouts(run)
    assert [answer.amount_fen for answer in outcomes[:30]] == [paid[player.pk] for player in players]
    entries = LedgerEntry.objects.filter(source_kind="pool", source_owner=run.pool_id, destination_kind="wallet")
    assert sorted(entries.values_list("destination_owner", "amount_fen")) == sorted(paid.items())
    wallets = Wallet.objects.filter(player__in=players)
    assert dict(wallets.values_list("player_id", "balance_fen")) == paid


def test_two_campaigns_are_credited_to_the_same_players_at_once(clock: Clock, players: list[Player]) -> None:
    runs = []
    for _ in range(4):
        run = make.SettlementFactory.create(pool__credit_after_s=0, pool__amount_fen=3_001)
        make.complete(run.pool.campaign, players)
        runs.append(run)
    make.close(clock, runs[-1])
    runs = [make.split(run) for run in runs]
    make.reveal(clock, runs[-1])

    outcomes = together(*[settlements.credit_due] * 4)

    assert outcomes == [False] * 4
    total = {player.pk: sum(make.payouts(run)[player.pk] for run in runs) for player in players}
    assert dict(Wallet.objects.filter(player__in=players).values_list("player_id", "balance_fen")) == total


def test_control_without_the_unique_key_every_request_posts(
    run: Settlement, players: list[Player], owner_connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same statement, on tables of the same shape that lack the constraint."""
    for table in ("ledgerentry", "wallet"):
        owner_connection.execute(
            f"CREATE TABLE loose_{table} (LIKE redpackets_{table} INCLUDING DEFAULTS INCLUDING IDENTITY)"
        )
    owner_connection.execute("ALTER TABLE loose_wallet ADD PRIMARY KEY (player_id)")
    kept = sql.text

    def loosened(app: str, name: str) -> str:
        if name != "post_entry":
            return kept(app, name)
        text = kept(app, name).replace("redpackets_", "loose_")
        return text.replace("ON CONFLICT (business_key) DO NOTHING", "")

    given: dict[str, Any] = {
        "source": ledger.pool(run.pool_id), "destination": ledger.wallet(players[0].pk), "amount_fen": 5,
        "business_key": "payout:once",
    }  # fmt: skip
    try:
        with monkeypatch.context() as patch:
            patch.setattr(sql, "text", loosened)
            together(*[partial(_post, given)] * 8)
        postings = owner_connection.execute("SELECT count(*) FROM loose_ledgerentry").fetchone()
        assert postings == (8,)
    finally:
        owner_connection.execute("DROP TABLE loose_ledgerentry, loose_wallet")


def _post(given: dict[str, Any]) -> None:
    with transaction.atomic(durable=True):
        ledger.post(**given)
