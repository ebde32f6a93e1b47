"""Staff who open, cancel or extend a vote at the moment at which another does, or at which it closes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError

from fortunes import errors, gate
from fortunes.actions import closing, judging, proposals
from fortunes.models import Campaign, Proposal
from tests.concurrency.test_closing import end, verify
from tests.concurrency.together import PATIENCE_S, patiently, together, until_somebody_waits
from tests.concurrency.voting import season, vote
from tests.plugins.clock import Clock
from tests.votes.motions import KEEP, ONE_MORE, again, change, drafted

__all__ = ["season", "vote"]

pytestmark = pytest.mark.committed

State = Proposal.State
Act = Callable[[Proposal], Proposal]


def cancel(vote: Proposal) -> Proposal:
    return proposals.cancel(proposal_id=vote.pk, reason_zh="写错了", reason_en="A mistake", by=None)


def extend(vote: Proposal) -> Proposal:
    return proposals.extend(proposal_id=vote.pk, closes_at=vote.closes_at + timedelta(hours=1), by=None)


@contextmanager
def pausing_in_the_gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Whoever enters the gate first tells so, and goes on once somebody else waits for it."""
    close, entered = gate.close, threading.Event()

    def slowly(campaign_id: int) -> None:
        close(campaign_id)
        if not entered.is_set():
            entered.set()
            until_somebody_waits()

    with monkeypatch.context() as patch:
        patch.setattr(gate, "close", slowly)
        yield entered


class TestStaff:
    """Who cancels or extends a vote at the moment of its close comes before it, or is refused."""

    @pytest.mark.parametrize("act", [cancel, extend])
    def test_after_the_close_has_begun(
        self, vote: Proposal, clock: Clock, monkeypatch: pytest.MonkeyPatch, act: Act
    ) -> None:
        clock.move_to(vote.closes_at)
        with pausing_in_the_gate(monkeypatch) as entered:

            def late() -> Proposal:
                entered.wait(PATIENCE_S)
                return act(vote)

            _, refused = together(partial(closing.stop, proposal_id=vote.pk), late)
        assert isinstance(refused, errors.ProposalState)
        end(vote)
        verify(vote)

    @pytest.mark.parametrize(("act", "state"), [(cancel, State.CANCELLED), (extend, State.OPEN)])
    def test_before_the_close(
        self, vote: Proposal, clock: Clock, monkeypatch: pytest.MonkeyPatch, act: Act, state: str
    ) -> None:
        """It was in time, says the clock; only then time goes on. The closer waits, and finds nothing to close."""
        judged = threading.Event()

        def slowly(judge: Callable[..., None], *about: Any, **given: Any) -> None:
            clock.move_to(vote.closes_at)
            judged.set()
            until_somebody_waits()
            judge(*about, **given)

        def closer() -> None:
            judged.wait(PATIENCE_S)
            patiently(partial(closing.stop, proposal_id=vote.pk))

        with monkeypatch.context() as patch:
            for name in ("require_extendable", "require_reason"):
                patch.setattr(judging, name, partial(slowly, getattr(judging, name)))
            done, failed = together(partial(act, vote), closer)
        assert failed is None
        assert isinstance(done, Proposal)
        assert (again(vote).state, again(vote).counting_at) == (state, None)

    def race_without_guards(self, vote: Proposal, clock: Clock, monkeypatch: pytest.MonkeyPatch, act: Any) -> Any:
        """Staff have looked at the vote, and then it is closed for ballots."""
        looked, closed = threading.Event(), threading.Event()

        def unlocked(proposal_id: int) -> Proposal:
            found = again(vote)
            found.closes_at += timedelta(minutes=1)
            looked.set()
            closed.wait(PATIENCE_S)
            return found

        def closer() -> None:
            looked.wait(PATIENCE_S)
            try:
                closing.stop(proposal_id=vote.pk)
            finally:
                closed.set()

        clock.move_to(vote.closes_at)
        with monkeypatch.context() as patch:
            patch.setattr(gate, "close", lambda campaign_id: None)
            patch.setattr(proposals, "_locked", unlocked)
            done, failed = together(partial(act, vote), closer)
        assert failed is None
        return done

    def test_control_without_gate_and_lock_what_was_stopped_is_cancelled(
        self, vote: Proposal, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert isinstance(self.race_without_guards(vote, clock, monkeypatch, cancel), Proposal)
        assert again(vote).state == State.CANCELLED
        assert again(vote).counting_at

    def test_control_without_gate_and_lock_only_the_constraint_stops_who_extends(
        self, vote: Proposal, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert isinstance(self.race_without_guards(vote, clock, monkeypatch, extend), IntegrityError)
        end(vote)
        verify(vote)


class TestOpening:
    def pair(self, season: Campaign) -> list[Callable[[], Proposal]]:
        drafts = [drafted(season, KEEP, change(ONE_MORE)) for _ in range(2)]
        return [partial(proposals.open_, proposal_id=draft.pk, by=None) for draft in drafts]

    def test_of_two_that_contradict_each_other_one_opens(self, season: Campaign) -> None:
        outcomes = together(*self.pair(season))
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Proposal", "ProposalConflict"]

    def test_control_without_the_gate_both_open(self, season: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
        both, judge = threading.Barrier(2), judging.require_openable

        def meet(*about: Any, **given: Any) -> None:
            judge(*about, **given)
            both.wait(PATIENCE_S)

        with monkeypatch.context() as patch:
            patch.setattr(gate, "close", lambda campaign_id: None)
            patch.setattr(judging, "require_openable", meet)
            outcomes = together(*self.pair(season))
        assert [type(outcome) for outcome in outcomes] == [Proposal, Proposal]
