"""Splits by chance and with jackpots, and what can't be paid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fortunes.models import Rulebook
from redpackets.actions import settlements, showing, stages
from redpackets.models import Settlement
from tests.factories import redpackets as make
from tests.plugins.clock import Clock
from tests.redpackets import recomputing
from tests.redpackets.verifying import verify, verify_as_a_stranger

pytestmark = pytest.mark.django_db

State = Settlement.State


def again(run: Settlement) -> Settlement:
    return Settlement.objects.get(pk=run.pk)


@pytest.mark.parametrize("split", make.SPLITS)
def test_every_amount_is_what_an_independent_computation_makes_of_it(clock: Clock, split: str, tmp_path: Path) -> None:
    run = make.SettlementFactory.create(winners=23, pool__split=make.SPLITS[split])
    make.close(clock, run)

    run = make.split(run)

    paid = make.payouts(run)
    due = recomputing.amounts(run, make.SPLITS[split], paid)
    assert run.returned_fen == due.pop(0, 0)
    assert paid == due
    assert sum(paid.values()) + run.returned_fen == 100_000
    verify(run)
    player = max(paid, key=lambda player: paid[player])
    assert verify_as_a_stranger(run, tmp_path, player).stdout.splitlines()[0] == f"{paid[player]} fen"
    assert verify_as_a_stranger(run, tmp_path, "all", *paid).returncode == 0


def test_amounts_by_chance_differ_and_nobody_gets_less_than_the_minimum(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=23, pool__split={"mode": "random", "minimum_fen": 1_000})
    make.close(clock, run)

    run = make.split(run)

    amounts = make.payouts(run).values()
    assert (run.minimum_fen, sum(amounts), min(amounts) >= 1_000) == (1_000, 100_000, True)
    assert len(set(amounts)) > 15
    told = showing.settlement(campaign_id=run.pool.campaign_id)
    assert told.lowest_fen is not None
    assert (told.mode, told.minimum_fen, told.lowest_fen <= min(amounts)) == ("random", 1_000, True)


def test_jackpots_come_on_top_of_even_shares(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=23, pool__split=make.SPLITS["tiered"])
    make.close(clock, run)

    run = make.split(run)

    # 99,970 fen among 23 are 4,346 each, and 12 get one more; one gets 20 and two 5 on top.
    over = sorted((amount - 4_346 for amount in make.payouts(run).values()), reverse=True)
    assert (over[0] in (20, 21), set(over[1:3]) <= {5, 6}, set(over[3:]) <= {0, 1}) == (True, True, True)
    assert (run.prizes_fen, run.share_fen, sum(run.chunks.values_list("prizes_fen", flat=True))) == (30, 99_970, 30)
    told = showing.settlement(campaign_id=run.pool.campaign_id)
    assert (told.mode, told.lowest_fen, [jackpot.prize_fen for jackpot in told.jackpots]) == ("tiered", 4_346, [20, 5])


def test_jackpots_that_nobody_is_left_to_draw_are_shared(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=2, pool__split=make.SPLITS["tiered"])
    make.close(clock, run)

    run = make.split(run)

    assert sorted(make.payouts(run).values()) in ([49_992, 50_008], [49_993, 50_007])
    assert [(tier["count"], tier["prize_fen"]) for tier in run.jackpots] == [(1, 20), (1, 5)]
    verify(run)


def test_more_contenders_than_jackpots_are_forgotten_once_it_is_drawn(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=23, pool__split=make.SPLITS["tiered"])
    make.close(clock, run)
    while again(run).state != State.ALLOT:
        stages.step(settlement_id=run.pk)
        assert run.contenders.count() <= 3 * run.chunks.count()
    assert not run.contenders.exists()


@pytest.mark.parametrize(
    "split",
    [{"mode": "random", "minimum_fen": 4_348}, {"mode": "tiered", "jackpots": [{"count": 1, "prize_fen": 100_001}]}],
)
def test_what_cannot_be_paid_stops_the_run_at_once(clock: Clock, split: dict[str, Any]) -> None:
    """The checks before the opening look at the pool, not at how many will win."""
    run = make.SettlementFactory.create(winners=23)
    former = Rulebook.objects.get(campaign=run.pool.campaign)
    Rulebook.objects.create(
        campaign=run.pool.campaign, version=2, rules=former.rules | {"split": split}, reason=Rulebook.Reason.VOTE
    )
    make.close(clock, run)
    with pytest.raises(stages.Mismatch, match="can't pay"):
        make.split(run)
    settlements.settle_due(budget_s=10)
    assert (again(run).state, again(run).attempts, again(run).paused_at is not None) == (State.ALLOT, 1, True)
    assert make.payouts(run) == {}
