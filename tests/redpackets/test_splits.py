"""Splitting a pool, stage by stage, on one connection."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cards.models import Hand
from fortunes import sql
from fortunes.answers import instant
from fortunes.models import Broadcast, Campaign, Exclusion, Rulebook
from redpackets import splitting
from redpackets.actions import settlements, showing, stages
from redpackets.models import LedgerEntry, Settlement
from tests.factories import aftermaths
from tests.factories import redpackets as make
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock
from tests.redpackets.verifying import verify, verify_as_a_stranger

pytestmark = pytest.mark.django_db

State = Settlement.State


def again(run: Settlement) -> Settlement:
    return Settlement.objects.select_related("pool__campaign").get(pk=run.pk)


def returns(run: Settlement) -> list[tuple[str, int, int]]:
    entries = LedgerEntry.objects.filter(source_kind="pool", source_owner=run.pool_id)
    return list(entries.values_list("destination_kind", "destination_owner", "amount_fen"))


def test_the_whole_pool_is_shared_to_the_fen(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=23, pool__amount_fen=100_000)
    make.close(clock, run)

    run = make.split(run)

    assert Counter(make.payouts(run).values()) == {4348: 19, 4347: 4}
    assert (run.state, run.winners, run.returned_fen) == (State.DONE, 23, 0)
    assert run.chunks.count() == 4
    assert returns(run) == []
    verify(run)


def test_the_remainder_goes_back_to_the_sponsor_where_that_is_the_rule(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=23, pool__split=make.SPLITS["return"])
    make.close(clock, run)

    run = make.split(run)

    assert Counter(make.payouts(run).values()) == {4347: 23}
    assert returns(run) == [("sponsor", run.pool.campaign_id, 19)]
    assert LedgerEntry.objects.get(business_key=f"return:{run.pool_id}").amount_fen == run.returned_fen == 19
    verify(run)


@pytest.mark.parametrize("split", make.SPLITS.values(), ids=make.SPLITS)
def test_without_winners_the_pool_goes_back(clock: Clock, split: dict[str, Any]) -> None:
    run = make.SettlementFactory.create(winners=0, pool__split=split)
    make.lose(run.pool.campaign, PlayerFactory.create_batch(3))
    make.close(clock, run)

    run = make.split(run)

    assert (run.winners, make.payouts(run)) == (0, {})
    assert returns(run) == [("sponsor", run.pool.campaign_id, 100_000)]
    verify(run)


def test_nobody_took_part(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=0)
    make.close(clock, run)

    run = make.split(run)

    assert (run.state, run.winners, run.returned_fen, run.chunks.count()) == (State.DONE, 0, 100_000, 0)
    verify(run)


def test_with_more_winners_than_fen_some_get_nothing(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=11, pool__amount_fen=4)
    make.close(clock, run)

    run = make.split(run)

    assert Counter(make.payouts(run).values()) == {1: 4, 0: 7}
    verify(run)


def test_with_more_winners_than_fen_the_rule_return_returns_all(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=11, pool__amount_fen=4, pool__split=make.SPLITS["return"])
    make.close(clock, run)

    run = make.split(run)

    assert Counter(make.payouts(run).values()) == {0: 11}
    assert returns(run) == [("sponsor", run.pool.campaign_id, 4)]
    verify(run)


def test_only_complete_hands_win(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=5)
    losers = PlayerFactory.create_batch(9)
    make.lose(run.pool.campaign, losers)
    make.close(clock, run)

    run = make.split(run)

    assert run.winners == 5
    assert not {loser.pk for loser in losers} & set(make.payouts(run))


def test_cards_in_escrow_count_for_their_giver(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=2)
    Hand.objects.filter(campaign=run.pool.campaign).update(counts=[0] * 5, escrow=[1, 0, 0, 0, 0])
    make.close(clock, run)

    assert make.split(run).winners == 2


@pytest.mark.parametrize(
    ("counts", "escrow", "kinds", "wins"),
    [
        ([1, 2, 3], [0, 0, 0], [0, 1, 2], True),
        ([1, 2, 3], [0, 0, 0], [1], True),
        ([1, 0, 3], [0, 0, 0], [0, 2], True),
        ([1, 0, 3], [0, 1, 0], [0, 1, 2], True),
        ([1, 0, 3], [0, 0, 1], [0, 1, 2], False),
        ([0, 0, 0], [0, 0, 0], [2], False),
        ([1, 2, 3], [0, 0, 0], [0, 3], False),
    ],
)
def test_a_complete_hand_holds_every_kind_of_the_set(
    counts: list[int], escrow: list[int], kinds: list[int], wins: bool
) -> None:
    run = make.SettlementFactory.create(winners=1)
    campaign = run.pool.campaign_id
    Hand.objects.filter(campaign=campaign).update(counts=counts, escrow=escrow)

    query = "SELECT * FROM redpackets_winners(%(campaign)s, 0, %(high)s, %(kinds)s::smallint[], NULL, fortunes_clock())"
    assert bool(sql.fetch(query, {"campaign": campaign, "high": 2**62, "kinds": kinds})) is wins


def test_who_was_excluded_before_the_freeze_wins_nothing_and_who_is_later_still_does(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=4)
    campaign = run.pool.campaign
    early, late, *_ = Hand.objects.filter(campaign=campaign).order_by("player").values_list("player", flat=True)
    Exclusion.objects.create(campaign=campaign, player_id=early, reason=Exclusion.Reason.FRAUD)
    make.close(clock, run)
    stages.freeze(settlement_id=run.pk)
    # Neither who writes it nor a clock that is set back brings it before the freeze.
    clock.shift(-timedelta(hours=2))
    Exclusion.objects.create(
        campaign=campaign, player_id=late, reason=Exclusion.Reason.BANNED, at=campaign.opens_at
    )  # fmt: skip

    paid = make.payouts(make.split(run))

    assert len(paid) == 3
    assert early not in paid
    assert late in paid


def test_the_rulebook_in_force_at_the_freeze_decides(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=3)
    campaign = run.pool.campaign
    make.close(clock, run)
    stages.freeze(settlement_id=run.pk)
    later = make.ONE_CARD | {"weights": {"patriotism": 1, "harmony": 1}, "complete_set": ["harmony"]}
    Rulebook.objects.create(campaign=campaign, version=2, rules=later, reason=Rulebook.Reason.STAFF)

    run = make.split(run)

    assert (run.rulebook_version, run.complete_kinds, run.winners) == (1, [0], 3)


def test_a_later_deadline_is_followed(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=3)
    campaign = run.pool.campaign
    later = campaign.closes_at + timedelta(minutes=10)
    Campaign.objects.filter(pk=campaign.pk).update(closes_at=later, reveal_at=later)
    assert showing.settlement(campaign_id=campaign.pk).due_at == instant(later)
    make.close(clock, run)

    assert settlements.settle_due(budget_s=5) is False
    assert (again(run).state, again(run).due_at) == (State.FREEZE, later)

    make.close(clock, again(run))
    settlements.settle_due(budget_s=10)
    assert again(run).state == State.DONE
    assert again(run).frozen_at >= later


def test_the_freeze_waits_until_cards_have_kept_what_was_promised(clock: Clock) -> None:
    season = aftermaths.season_with_steals()
    run = Settlement.objects.select_related("pool__campaign").get(pool__campaign=season)
    aftermaths.remove(season, "steal", promising=aftermaths.INTO_WILD)
    make.close(clock, run)

    assert stages.step(settlement_id=run.pk) is stages.Progress.BUSY
    assert again(run).state == State.FREEZE

    aftermaths.follow(season)
    assert stages.step(settlement_id=run.pk) is stages.Progress.MOVED
    assert again(run).state == State.COUNT


def test_nothing_happens_before_the_deadline() -> None:
    run = make.SettlementFactory.create(winners=1)

    assert settlements.settle_due(budget_s=5) is False
    assert again(run).state == State.FREEZE


def test_the_campaign_hears_of_freeze_and_seal_and_its_secret_is_published(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=2)
    make.close(clock, run)

    assert settlements.settle_due(budget_s=10) is False

    campaign = Campaign.objects.get(pk=run.pool.campaign_id)
    told = Broadcast.objects.filter(campaign=campaign).order_by("seq").values_list("type", flat=True)
    assert list(told) == ["campaign.opened", "campaign.frozen", "campaign.settled"]
    assert campaign.settling_at and campaign.settled_at and campaign.draw_secret


def test_the_manifest_convinces_a_stranger(clock: Clock, tmp_path: Path) -> None:
    run = make.SettlementFactory.create(winners=23)
    make.close(clock, run)
    run = make.split(run)
    paid = make.payouts(run)
    player = min(paid)

    assert verify_as_a_stranger(run, tmp_path).stdout == "ok: 23 winners, 100000 fen paid\n"
    assert verify_as_a_stranger(run, tmp_path, player).stdout.splitlines()[0] == f"{paid[player]} fen"
    assert verify_as_a_stranger(run, tmp_path, "all", *paid).returncode == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount_fen", 100_001), ("secret", "00" * 32), ("winners", 24), ("seed", "00" * 32), ("merkle_root", "00" * 32)],
)
def test_a_forged_manifest_does_not(clock: Clock, tmp_path: Path, field: str, value: Any) -> None:
    run = make.SettlementFactory.create(winners=23)
    make.close(clock, run)
    run = make.split(run)
    paid = make.payouts(run)
    assert run.manifest
    run.manifest[field] = value

    assert verify_as_a_stranger(run, tmp_path, "all", *paid).stderr.startswith("WRONG")


def test_a_forged_chunk_does_not(clock: Clock, tmp_path: Path) -> None:
    run = make.SettlementFactory.create(winners=23)
    make.close(clock, run)
    run = make.split(run)
    assert run.manifest
    run.manifest["chunks"][1]["threshold"]["h"] = "0"

    assert verify_as_a_stranger(run, tmp_path, "all", *make.payouts(run)).stderr.startswith("WRONG: chunk 2")


def test_every_stage_may_be_run_again(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=23)
    make.close(clock, run)
    run = make.split(run)
    before = (make.payouts(run), list(run.chunks.order_by("number").values_list()), LedgerEntry.objects.count())

    for stage in (stages.freeze, stages.count, stages.weigh, stages.allot, stages.post, stages.seal, stages.credit):
        assert stage(settlement_id=run.pk) is stages.Progress.BUSY

    assert before == (make.payouts(run), list(run.chunks.order_by("number").values_list()), LedgerEntry.objects.count())


def test_a_paused_run_stands_still_until_it_is_resumed(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=23)
    make.close(clock, run)
    for _ in range(8):
        stages.step(settlement_id=run.pk)
    state, posted = again(run).state, len(make.payouts(run))
    settlements.pause(settlement_id=run.pk, by=None)

    assert settlements.settle_due(budget_s=5) is False
    assert stages.step(settlement_id=run.pk) is stages.Progress.BUSY
    assert (again(run).state, len(make.payouts(run))) == (state, posted)

    settlements.resume(settlement_id=run.pk, by=None)
    settlements.settle_due(budget_s=10)
    assert again(run).state == State.DONE
    verify(again(run))


def test_a_process_without_the_keys_leaves_the_seed_to_others(
    clock: Clock, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    run = make.SettlementFactory.create(winners=2)
    make.close(clock, run)
    keys = settings.SETTLEMENT_KEYS
    settings.SETTLEMENT_KEYS = {}

    assert settlements.settle_due(budget_s=10) is False
    assert (again(run).state, again(run).attempts, caplog.messages) == (State.WEIGH, 0, [])
    clock.shift(settlements.OVERDUE)
    settlements.settle_due(budget_s=10)
    assert caplog.messages == [f"settlement {run.pk} is overdue and stays in weigh"]

    settings.SETTLEMENT_KEYS = keys
    settlements.settle_due(budget_s=10)
    assert again(run).state == State.DONE


def test_figures_that_do_not_add_up_stop_the_run_and_post_nothing(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    run = make.SettlementFactory.create(winners=23)
    make.close(clock, run)
    while again(run).state != State.POST:
        stages.step(settlement_id=run.pk)
    # Somebody meddles with a hand after it was counted.
    chunk = run.chunks.get(number=2)
    Hand.objects.filter(campaign=run.pool.campaign, player=chunk.low).update(counts=[0] * 5)

    with caplog.at_level(logging.CRITICAL):
        assert settlements.settle_due(budget_s=10) is False

    run = again(run)
    assert run.paused_at and run.last_error.startswith("Mismatch: chunk 2")
    assert (run.state, run.attempts, len(caplog.records)) == (State.POST, 1, 1)
    assert len(make.payouts(run)) == 7
    Hand.objects.filter(campaign=run.pool.campaign, player=chunk.low).update(counts=[1, 0, 0, 0, 0])
    settlements.resume(settlement_id=run.pk, by=None)
    settlements.settle_due(budget_s=10)
    verify(again(run))


def test_a_secret_that_was_not_promised_stops_the_run(clock: Clock, settings: Any) -> None:
    run = make.SettlementFactory.create(winners=2)
    make.close(clock, run)
    settings.SETTLEMENT_KEYS = {run.pool.key_id: b"another key"}

    settlements.settle_due(budget_s=10)

    assert again(run).last_error == "Mismatch: the settlement's secret is not the one that was committed to"
    assert again(run).paused_at
    assert make.payouts(run) == {}


def test_a_stage_that_keeps_failing_is_paused_and_others_go_on(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    sick, well = make.SettlementFactory.create(winners=1), make.SettlementFactory.create(winners=1)
    make.close(clock, well)
    allot = splitting.allot

    def fail(**given: Any) -> splitting.Allotment:
        if given["amount_fen"] == sick.amount_fen:
            raise ZeroDivisionError
        return allot(**given)

    Settlement.objects.filter(pk=sick.pk).update(amount_fen=1)
    sick.amount_fen = 1
    monkeypatch.setattr(splitting, "allot", fail)
    for _ in range(settlements.MAX_ATTEMPTS):
        assert again(sick).paused_at is None
        settlements.settle_due(budget_s=10)

    assert again(sick).paused_at
    assert again(sick).attempts == settlements.MAX_ATTEMPTS
    assert again(well).state == State.DONE
