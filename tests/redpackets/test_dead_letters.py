"""A settlement that stops because it won't get further is a dead letter, until somebody lets it go on."""

from __future__ import annotations

import pytest

from cards.models import Hand
from fortunes import deadletters
from fortunes import errors as ground
from fortunes.models import DeadLetter
from redpackets import errors
from redpackets.actions import settlements, stages
from redpackets.models import Settlement
from tests.factories import redpackets as make
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

State = Settlement.State


@pytest.fixture
def stopped(clock: Clock) -> Settlement:
    """A hand was meddled with after it was counted, so the run is paused."""
    run = make.SettlementFactory.create(winners=23)
    make.close(clock, run)
    while Settlement.objects.get(pk=run.pk).state != State.POST:
        stages.step(settlement_id=run.pk)
    _meddle(run, [0] * 5)
    settlements.settle_due(budget_s=10)
    return Settlement.objects.select_related("pool__campaign").get(pk=run.pk)


def _meddle(run: Settlement, counts: list[int]) -> None:
    player = run.chunks.get(number=2).low
    Hand.objects.filter(campaign=run.pool.campaign, player=player).update(counts=counts)


def letter(run: Settlement) -> DeadLetter:
    return DeadLetter.objects.get(job=settlements.JOB, subject_id=run.pk)


def test_it_says_what_was_wrong_and_no_more(stopped: Settlement) -> None:
    assert stopped.paused_at
    assert letter(stopped).error.startswith("Mismatch: chunk 2: (winners, their hash, fen)")
    assert letter(stopped).outcome is None


def test_reviving_it_lets_the_run_go_on(stopped: Settlement) -> None:
    _meddle(stopped, [1, 0, 0, 0, 0])
    deadletters.revive(letter_id=letter(stopped).pk, by=PlayerFactory.create().pk)
    settlements.settle_due(budget_s=10)
    assert Settlement.objects.get(pk=stopped.pk).state == State.DONE


def test_resuming_the_run_closes_it(stopped: Settlement) -> None:
    alice = PlayerFactory.create()
    settlements.resume(settlement_id=stopped.pk, by=alice.pk)
    assert (letter(stopped).outcome, letter(stopped).decided_by) == ("revived", alice)
    with pytest.raises(ground.DeadLetterDecided):
        deadletters.revive(letter_id=letter(stopped).pk, by=alice.pk)


def test_failing_again_is_a_letter_again(stopped: Settlement) -> None:
    settlements.resume(settlement_id=stopped.pk, by=PlayerFactory.create().pk)
    settlements.settle_due(budget_s=10)
    letters = DeadLetter.objects.filter(job=settlements.JOB, subject_id=stopped.pk)
    assert sorted(letters.values_list("outcome", flat=True), key=str) == [None, "revived"]


def test_of_a_run_that_is_done_it_is_only_dismissed(stopped: Settlement) -> None:
    alice = PlayerFactory.create()
    _meddle(stopped, [1, 0, 0, 0, 0])
    Settlement.objects.filter(pk=stopped.pk).update(paused_at=None)
    settlements.settle_due(budget_s=10)
    with pytest.raises(errors.SettlementFinished):
        deadletters.revive(letter_id=letter(stopped).pk, by=alice.pk)
    deadletters.dismiss(letter_id=letter(stopped).pk, by=alice.pk)
    assert letter(stopped).outcome == "dismissed"


def test_a_pause_by_staff_is_none(clock: Clock) -> None:
    run = make.SettlementFactory.create(winners=1)
    settlements.pause(settlement_id=run.pk, by=PlayerFactory.create().pk)
    assert not DeadLetter.objects.filter(job=settlements.JOB, subject_id=run.pk).exists()
