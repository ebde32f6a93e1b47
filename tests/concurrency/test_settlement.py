"""The settlement under many workers, and killed between any two statements."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, transaction

from cards.models import Hand
from fortunes import deadletters, sql
from fortunes.models import DeadLetter
from redpackets import splitting
from redpackets.actions import settlements, stages
from redpackets.models import LedgerEntry, Settlement, SettlementChunk, Wallet
from tests.concurrency.killing import killed_at
from tests.concurrency.together import PATIENCE_S, together
from tests.concurrency.variants import without
from tests.factories import redpackets as make
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock
from tests.redpackets.verifying import module, verify

pytestmark = pytest.mark.committed

State = Settlement.State
GATE = "    PERFORM fortunes_gate_lock(NEW.campaign_id);\n"


def again(run: Settlement) -> Settlement:
    return Settlement.objects.select_related("pool__campaign").get(pk=run.pk)


def md5(paid: dict[int, int]) -> str:
    return hashlib.md5(repr(sorted(paid.items())).encode()).hexdigest()


def recomputed(run: Settlement) -> dict[int, int]:
    """(player, fen) from the manifest and the frozen hands alone, by the stand-alone verifier."""
    verifier, manifest = module(), again(run).manifest
    query = "SELECT player_id FROM cards_hand WHERE campaign_id = %(campaign)s AND counts[1] > 0"
    winners = [row.player_id for row in sql.fetch(query, {"campaign": run.pool.campaign_id})]
    verifier.check_all(manifest, winners)
    return {player: verifier.amount(manifest, player) for player in winners}


def test_four_workers_at_once(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=400, chunk_hands=9, pool__amount_fen=1_234_567, pool__credit_after_s=0)
    make.close(clock, run)

    together(*[settlements.settle_due] * 4)

    run = again(run)
    assert (run.state, run.winners, run.last_error) == (State.CREDIT, 400, "")
    assert sum(make.payouts(run).values()) == 1_234_567
    assert md5(make.payouts(run)) == md5(recomputed(run))
    verify(run)

    make.reveal(clock, run)
    together(*[settlements.credit_due] * 4)

    assert again(run).state == State.DONE
    entries = LedgerEntry.objects.filter(source_kind="pool", source_owner=run.pool_id)
    assert dict(entries.values_list("destination_owner", "amount_fen")) == make.payouts(run)
    wallets = Wallet.objects.filter(player__in=make.payouts(run))
    assert dict(wallets.values_list("player_id", "balance_fen")) == make.payouts(run)


def test_control_without_the_claim_two_workers_post_the_same_chunk(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make.SettlementFactory.create(winners=9, chunk_hands=9)
    make.close(clock, run)
    while again(run).state != State.POST:
        stages.step(settlement_id=run.pk)
    both = threading.Barrier(2)

    def claim_unlocked(settlement_id: int, state: State, **undone: None) -> SettlementChunk | None:
        chunks = SettlementChunk.objects.select_related("settlement__pool")
        chunk = chunks.filter(settlement=settlement_id, settlement__state=state, **undone).first()
        both.wait(PATIENCE_S)
        return chunk

    with monkeypatch.context() as patch:
        patch.setattr(stages, "_claim", claim_unlocked)
        outcomes = together(*[lambda: stages.post(settlement_id=run.pk)] * 2)

    # Without the lock both write the chunk, and only the payouts' primary key is left to stop the second.
    assert sorted(map(str, map(type, outcomes))) == sorted(map(str, [stages.Progress, IntegrityError]))
    verify(make.split(run))


@contextmanager
def excluding(run: Settlement) -> Iterator[tuple[psycopg.Connection, int]]:
    """An exclusion that is written and not yet committed, and the player whom it names."""
    campaign = run.pool.campaign_id
    player = Hand.objects.filter(campaign=campaign).values_list("player", flat=True)[0]
    insert = "INSERT INTO fortunes_exclusion (campaign_id, player_id, reason) VALUES (%s, %s, 'fraud')"
    with psycopg.connect(os.environ["DATABASE_URL"]) as pending:
        pending.execute(insert, [campaign, player])
        yield pending, player


def test_the_freeze_waits_for_an_exclusion_that_is_being_written(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=3)
    with excluding(run) as (pending, player):
        make.close(clock, run)
        assert stages.step(settlement_id=run.pk) is stages.Progress.BUSY
        pending.commit()

    run = make.split(run)

    assert (run.state, run.winners, player in make.payouts(run)) == (State.DONE, 2, False)
    verify(run)


def test_control_without_the_gate_an_exclusion_comes_between_count_and_post(
    clock: Clock, owner_connection: psycopg.Connection
) -> None:
    run = make.SettlementFactory.create(winners=3)
    with without(owner_connection, "fortunes", "stamp_exclusion", cut=GATE), excluding(run) as (pending, _):
        make.close(clock, run)
        while again(run).state in (State.FREEZE, State.COUNT):
            stages.step(settlement_id=run.pk)
        pending.commit()
    for _attempt in range(2):
        settlements.resume(settlement_id=run.pk, by=None)
        settlements.settle_due(budget_s=5)
        assert again(run).paused_at and again(run).last_error.startswith("Mismatch")

    # What nobody could do in earnest, so that the session ends with whole settlements.
    SettlementChunk.objects.filter(settlement=run).update(winners=None, ids_hash=None)
    Settlement.objects.filter(pk=run.pk).update(state=State.COUNT, paused_at=None)
    verify(make.split(run))


@pytest.mark.parametrize("state", [State.FREEZE, State.SEAL])
def test_a_stage_that_the_database_refuses_holds_up_nobody_else(
    clock: Clock, owner_connection: psycopg.Connection, caplog: pytest.LogCaptureFixture, state: State
) -> None:
    stuck, free = make.SettlementFactory.create_batch(2, winners=3)
    make.close(clock, free)
    while again(stuck).state != state:
        stages.step(settlement_id=stuck.pk)

    with owner_connection.transaction():
        owner_connection.execute("SELECT FROM fortunes_campaign WHERE id = %s FOR UPDATE", [stuck.pool.campaign_id])
        assert settlements.settle_due(budget_s=30) is False
        assert again(free).state == State.DONE
        assert (again(stuck).state, again(stuck).attempts) == (state, 1)
        assert "lock timeout" in again(stuck).last_error

        # However often: it passes by itself, and a paused run would wait for a person.
        Settlement.objects.filter(pk=stuck.pk).update(attempts=settlements.MAX_ATTEMPTS - 1)
        settlements.settle_due(budget_s=30)
        assert (again(stuck).attempts, again(stuck).paused_at) == (settlements.MAX_ATTEMPTS, None)

    assert [record.levelno for record in caplog.records if record.exc_info] == [logging.WARNING, logging.CRITICAL]
    settlements.settle_due(budget_s=30)
    assert (again(stuck).state, again(stuck).last_error) == (State.DONE, "")


def test_a_failure_is_noted_without_waiting_for_the_row_that_caused_it(
    clock: Clock, owner_connection: psycopg.Connection
) -> None:
    stuck, free = make.SettlementFactory.create_batch(2, winners=3)
    make.close(clock, free)
    stages.step(settlement_id=stuck.pk)

    with owner_connection.transaction():
        owner_connection.execute("SELECT FROM redpackets_settlement WHERE id = %s FOR UPDATE", [stuck.pk])
        settlements.settle_due(budget_s=30)
        assert again(free).state == State.DONE
        assert (again(stuck).state, again(stuck).attempts) == (State.COUNT, 0)

    settlements.settle_due(budget_s=30)
    assert again(stuck).state == State.DONE


@pytest.mark.parametrize("first", ["resume", "revive"])
def test_a_run_that_is_resumed_while_its_letter_is_revived(first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both change run and letter. Whoever took them the other way round would deadlock with the other."""
    run, alice = make.SettlementFactory.create(), PlayerFactory.create(is_staff=True)
    with transaction.atomic(durable=True):
        letter = deadletters.bury(job=settlements.JOB, subject_id=run.pk, error="")
    settlements.pause(settlement_id=run.pk, by=alice.pk)
    name, asleep = "settle" if first == "resume" else "_decide", threading.Event()
    step = getattr(deadletters, name)

    def slow(*args: Any, **given: Any) -> Any:
        asleep.set()
        time.sleep(0.5)
        return step(*args, **given)

    monkeypatch.setattr(deadletters, name, slow)
    pressed: list[Callable[[], Any]] = [
        partial(settlements.resume, settlement_id=run.pk, by=alice.pk),
        partial(deadletters.revive, letter_id=letter, by=alice.pk),
    ]
    one, other = pressed if first == "resume" else pressed[::-1]

    def second() -> Any:
        asleep.wait(PATIENCE_S)
        return other()

    outcomes = together(one, second)
    assert not [outcome for outcome in outcomes if isinstance(outcome, OperationalError)]
    assert again(run).paused_at is None
    assert DeadLetter.objects.get(pk=letter).outcome == "revived"


def test_a_stage_that_loses_its_connection_ends_no_round(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make.SettlementFactory.create(winners=3)
    make.close(clock, run)

    def cut_off(**given: Any) -> None:
        sql.fetch("SELECT pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as patch:
        patch.setattr(splitting, "allot", cut_off)
        assert settlements.settle_due(budget_s=30) is False

    assert (again(run).state, again(run).attempts, again(run).paused_at) == (State.ALLOT, 1, None)
    settlements.settle_due(budget_s=30)
    verify(again(run))


def drive(run: Settlement) -> None:
    """One worker's way from the deadline to the last credit, as the tasks go it for this settlement."""
    while Settlement.objects.values_list("state", flat=True).get(pk=run.pk) != State.DONE:
        stages.step(settlement_id=run.pk)


@pytest.mark.slow
@pytest.mark.parametrize("split", make.SPLITS)
def test_killed_between_any_two_statements(clock: Clock, monkeypatch: pytest.MonkeyPatch, split: str) -> None:
    """For every moment of a run a settlement of its own, killed there and finished by another worker."""
    players = PlayerFactory.create_batch(3)
    for moment in count(1):
        run = make.SettlementFactory.create(
            chunk_hands=2, pool__amount_fen=100, pool__credit_after_s=0, pool__split=make.SPLITS[split]
        )
        make.complete(run.pool.campaign, players)
        make.reveal(clock, run)
        with killed_at(monkeypatch, moment) as moments:
            drive(run)
        survived = moments() < moment
        drive(run)

        paid = make.payouts(run)
        assert md5(paid) == md5(recomputed(run)), f"killed at moment {moment}"
        moved = LedgerEntry.objects.filter(source_kind="pool", source_owner=run.pool_id, destination_kind="wallet")
        assert dict(moved.values_list("destination_owner", "amount_fen")) == paid, f"killed at moment {moment}"
        assert sum(paid.values()) + (again(run).returned_fen or 0) == 100
        if survived:
            assert moment > 100
            return
