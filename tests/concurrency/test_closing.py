"""The close of a vote under races: with ballots, with another worker, with staff who cancel or extend, and killed."""

from __future__ import annotations

import threading
from functools import partial
from itertools import count
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from accounts.models import Player
from fortunes import errors, gate, rulebooks, sql
from fortunes.actions import ballots, closing
from fortunes.models import Ballot, BallotCount, Broadcast, Campaign, Proposal, Rulebook
from tests.concurrency.killing import killed_at
from tests.concurrency.together import PATIENCE_S, patiently, together, until
from tests.concurrency.variants import without
from tests.concurrency.voting import season, vote
from tests.factories import votes as make
from tests.factories.accounts import PlayerFactory
from tests.factories.cards import SeasonFactory
from tests.plugins.clock import Clock
from tests.votes.motions import again, opened, voted

__all__ = ["season", "vote"]

pytestmark = pytest.mark.committed

State = Proposal.State
GATE_LOCK = "    PERFORM pg_advisory_xact_lock_shared(5525, the_campaign::integer);\n"


def end(vote: Proposal) -> None:
    """Until it is closed, whatever a worker waits for."""
    while again(vote).state != State.CLOSED:
        closing.close_due()


def told(vote: Proposal) -> list[str]:
    rows = Broadcast.objects.filter(campaign=vote.campaign, data__proposal=str(vote.public_id)).order_by("seq")
    return list(rows.values_list("type", flat=True))


def verify(vote: Proposal, *, cast: int = 3) -> None:
    """Decided once, for the change, and told once."""
    closed = again(vote)
    assert (closed.state, closed.outcome, closed.winner, closed.cast) == (State.CLOSED, "adopted", 2, cast)
    assert list(Rulebook.objects.filter(proposal=vote).values_list("version", flat=True)) == [2]
    assert told(vote) == ["proposal.opened", "proposal.closed", "rulebook.changed"]
    assert (closed.attempts, closed.given_up_at) == (0, None)


class TestBallots:
    def test_a_close_waits_for_the_ballot_that_has_passed_the_gate(self, vote: Proposal, clock: Clock) -> None:
        stopped, late = stop_while_a_ballot_is_under_way(vote, clock)
        assert (stopped, late) == (False, 1)
        end(vote)
        verify(vote, cast=4)

    def test_control_without_the_gate_a_ballot_comes_after_the_count(
        self, vote: Proposal, clock: Clock, owner_connection: psycopg.Connection
    ) -> None:
        with without(owner_connection, "fortunes", "gate_lock", cut=GATE_LOCK):
            stopped, late = stop_while_a_ballot_is_under_way(vote, clock)
        assert (stopped, late) == (True, 1)
        forget_ballot(vote, owner_connection)

    def test_ballots_that_straddle_the_close(self, season: Campaign, clock: Clock) -> None:
        """Each is counted or refused, and the result says what the rows say."""
        vote = opened(season)
        crowd = PlayerFactory.create_batch(40)
        make.enrol(vote, *crowd)
        refused, counted = threading.Event(), threading.Event()
        waiting = iter(crowd)
        taking = threading.Lock()

        def voting() -> list[bool]:
            answers: list[bool] = []
            while True:
                with taking:
                    player = next(waiting, None)
                if player is None:
                    return answers
                try:
                    make.cast(player, vote, 2)
                    counted.set()
                    answers.append(True)
                except errors.VoteNotOpen:
                    refused.set()
                    answers.append(False)
                # The second half waits for the close.
                if len(answers) == 5:
                    closed.wait(PATIENCE_S)

        closed = threading.Event()

        def closer() -> list[bool]:
            counted.wait(PATIENCE_S)
            clock.move_to(vote.closes_at)
            closing.close_due()
            until(lambda: again(vote).state != State.OPEN or closing.close_due())
            closed.set()
            return []

        answered = [answer for answers in together(*[voting] * 4, closer) for answer in answers]
        end(vote)
        assert len(answered) == 40
        assert refused.is_set()
        assert again(vote).cast == sum(answered) == Ballot.objects.filter(proposal=vote).count()
        assert again(vote).outcome == "adopted"


def stop_while_a_ballot_is_under_way(vote: Proposal, clock: Clock) -> tuple[bool, int]:
    """(whether ballots could be stopped before the ballot had committed, ballots that committed afterwards)."""
    alice: Player = make.VoterFactory.create(proposal=vote)
    params = ballots._params(vote.campaign_id, [make.wanted(alice, vote, 2)])
    passed, over = threading.Event(), threading.Event()

    def slow_ballot() -> None:
        # The ballot's own transaction, held open after its last statement as a slow network would.
        with transaction.atomic():
            assert sql.fetch(sql.text("fortunes", "cast"), params)[0].status == "cast"
            passed.set()
            over.wait(PATIENCE_S)

    def closer() -> tuple[bool, int]:
        passed.wait(PATIENCE_S)
        clock.move_to(vote.closes_at)
        try:
            closing.stop(proposal_id=vote.pk)
        except gate.Held:
            stopped = False
        else:
            stopped = True
        before = Ballot.objects.filter(proposal=vote).count()
        over.set()
        return stopped, before

    failed, (stopped, before) = together(slow_ballot, closer)
    assert failed is None
    return stopped, Ballot.objects.filter(proposal=vote).count() - before


def forget_ballot(vote: Proposal, owner: psycopg.Connection) -> None:
    """What nobody could do in earnest, so that the session ends with votes that add up."""
    owner.execute("DELETE FROM fortunes_ballotcount WHERE proposal_id = %s", [vote.pk])
    owner.execute("DELETE FROM fortunes_ballot WHERE proposal_id = %s", [vote.pk])
    assert not BallotCount.objects.filter(proposal=vote).exists()


class TestWorkers:
    def test_six_workers_at_once(self, vote: Proposal, clock: Clock) -> None:
        clock.move_to(vote.closes_at)
        assert together(*[closing.close_due] * 6) == [None] * 6
        end(vote)
        verify(vote)

    def test_two_that_have_counted_decide_once(self, vote: Proposal, clock: Clock) -> None:
        """Whatever keeps them from counting at the same time."""
        counted = stopped_and_counted(vote, clock)
        decide = partial(closing.decide, proposal_id=vote.pk, counted=counted)
        assert together(*[partial(patiently, decide)] * 6) == [None] * 6
        verify(vote)

    def test_control_without_gate_and_lock_two_decide(
        self, vote: Proposal, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Both find it undecided, and only the constraints are left to stop the second."""
        counted = stopped_and_counted(vote, clock)
        both = threading.Barrier(2)

        def unlocked(proposal_id: int) -> Proposal | None:
            found = Proposal.objects.filter(pk=proposal_id, state=State.COUNTING).first()
            both.wait(PATIENCE_S)
            return found

        with monkeypatch.context() as patch:
            patch.setattr(gate, "close", lambda campaign_id: None)
            patch.setattr(closing, "_held", unlocked)
            outcomes = together(*[partial(closing.decide, proposal_id=vote.pk, counted=counted)] * 2)
        assert sum(outcome is None for outcome in outcomes) == 1
        assert sum(isinstance(outcome, (IntegrityError, RuntimeError)) for outcome in outcomes) == 1
        verify(vote)

    def test_while_one_counts_no_other_begins(
        self, vote: Proposal, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock.move_to(vote.closes_at)
        counting, go_on, count_them = threading.Event(), threading.Event(), ballots.count

        def slow(*, proposal: Proposal) -> ballots.Counted:
            assert not counting.is_set()
            counting.set()
            go_on.wait(PATIENCE_S)
            return count_them(proposal=proposal)

        def second() -> bool:
            counting.wait(PATIENCE_S)
            try:
                return closing.close(proposal_id=vote.pk)
            finally:
                go_on.set()

        with monkeypatch.context() as patch:
            patch.setattr(ballots, "count", slow)
            assert together(partial(closing.close, proposal_id=vote.pk), second) == [True, False]
        verify(vote)

    def test_a_gate_that_is_held_holds_up_only_its_vote(self, vote: Proposal, clock: Clock) -> None:
        other = opened(SeasonFactory.create(), closes_at=vote.closes_at)
        voted(other, 1, 2, 2)
        clock.move_to(vote.closes_at)
        entered, done = threading.Event(), threading.Event()

        def holder() -> None:
            with transaction.atomic():
                sql.fetch("SELECT fortunes_gate_lock(%(campaign)s)", {"campaign": vote.campaign_id})
                entered.set()
                done.wait(PATIENCE_S)

        def closer() -> tuple[str, str]:
            entered.wait(PATIENCE_S)
            try:
                closing.close_due()
                return again(vote).state, again(other).state
            finally:
                done.set()

        assert together(holder, closer)[1] == (State.OPEN, State.CLOSED)
        assert again(vote).attempts == 0
        end(vote)
        verify(vote)

    def test_a_failure_is_noted_without_waiting_for_the_row_that_caused_it(
        self, vote: Proposal, clock: Clock, owner_connection: psycopg.Connection
    ) -> None:
        other = opened(SeasonFactory.create(), closes_at=vote.closes_at)
        voted(other, 1, 2, 2)
        clock.move_to(vote.closes_at)
        with owner_connection.transaction():
            owner_connection.execute("SELECT FROM fortunes_proposal WHERE id = %s FOR UPDATE", [vote.pk])
            closing.close_due()
            assert (again(vote).state, again(vote).attempts) == (State.OPEN, 0)
        end(other)
        end(vote)
        verify(vote)
        verify(other)

    def test_who_loses_the_connection_ends_no_round(
        self, vote: Proposal, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock.move_to(vote.closes_at)

        def cut_off(**given: Any) -> None:
            sql.fetch("SELECT pg_terminate_backend(pg_backend_pid())")

        with monkeypatch.context() as patch:
            patch.setattr(ballots, "count", cut_off)
            with pytest.raises(OperationalError):
                closing.close_due()
        connection.close()
        assert (again(vote).state, again(vote).attempts) == (State.COUNTING, 0)
        end(vote)
        verify(vote)


def stopped_and_counted(vote: Proposal, clock: Clock) -> ballots.Counted:
    clock.move_to(vote.closes_at)
    closing.stop(proposal_id=vote.pk)
    counted = closing.count(proposal_id=vote.pk)
    assert counted is not None
    return counted


@pytest.mark.slow
def test_killed_between_any_two_statements(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """For every moment of a close a vote of its own, killed there and closed by another worker."""
    for moment in count(1):
        vote = opened(SeasonFactory.create())
        voted(vote, 1, 2, 2)
        clock.move_to(vote.closes_at)
        with killed_at(monkeypatch, moment) as moments:
            closing.close(proposal_id=vote.pk)
        survived = moments() < moment
        end(vote)
        verify(vote)
        assert rulebooks.current(vote.campaign_id).quotas["code"].per_day == 9
        if survived:
            assert moment > 30
            return
