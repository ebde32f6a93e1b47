"""The close of votes by real workers: killed with -9 at each of its steps, and rung for by two beats."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from config import celery
from fortunes import gate
from fortunes.actions import closing
from fortunes.models import AuditEntry, Broadcast, Proposal, Rulebook
from tests.concurrency.together import WAITING_FOR_ME
from tests.factories.cards import SeasonFactory
from tests.health import system
from tests.plugins.clock import Clock
from tests.votes.motions import again, opened, voted

pytestmark = [pytest.mark.committed, pytest.mark.slow]

State = Proposal.State
TASK = "fortunes.tasks.close_votes"
# Whoever waits for the test waits for as long as the machine needs to kill them.
PATIENT = {"PGOPTIONS": "-c statement_timeout=0 -c lock_timeout=0"}
# Where a worker stops, by the name of the step: triggers that wait for a lock which the test holds.
TRIGGERS = {
    "no more ballots": (
        "BEFORE UPDATE ON fortunes_proposal FOR EACH ROW WHEN (NEW.state = 'counting' AND NEW.id = {vote})"
    ),
    "the new rules": "BEFORE INSERT ON fortunes_rulebook FOR EACH ROW WHEN (NEW.proposal_id = {vote})",
    "the result": "BEFORE UPDATE ON fortunes_proposal FOR EACH ROW WHEN (NEW.state = 'closed' AND NEW.id = {vote})",
    "the counts of options": "BEFORE UPDATE ON fortunes_option FOR EACH ROW WHEN (NEW.proposal_id = {vote})",
    "the news": (
        "BEFORE INSERT ON fortunes_broadcast FOR EACH ROW "
        "WHEN (NEW.type = 'rulebook.changed' AND NEW.campaign_id = {campaign})"
    ),
    "the audit": (
        "BEFORE INSERT ON fortunes_auditentry FOR EACH ROW "
        "WHEN (NEW.action = 'proposal.closed' AND NEW.subject_id = {vote})"
    ),
}
COMMIT = (
    "AFTER UPDATE ON fortunes_proposal DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
    "WHEN (NEW.state = 'closed' AND NEW.id = {vote})"
)
MEET = """
CREATE FUNCTION test_stand_still() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(20170118);
    RETURN NEW;
END
$$
"""


def due(clock: Clock) -> Proposal:
    """A vote whose time has come: three ballots, two of them for a change."""
    vote = opened(SeasonFactory.create())
    voted(vote, 1, 2, 2)
    clock.move_to(vote.closes_at)
    return vote


def verify(vote: Proposal) -> None:
    """Decided once, for the change, and told once."""
    closed = again(vote)
    assert (closed.state, closed.outcome, closed.winner, closed.cast) == (State.CLOSED, "adopted", 2, 3)
    assert [option.ballots for option in closed.options.order_by("number")] == [1, 2]
    assert list(Rulebook.objects.filter(campaign=vote.campaign).values_list("proposal", flat=True)) == [None, vote.pk]
    news = Broadcast.objects.filter(campaign=vote.campaign, data__proposal=str(vote.public_id)).order_by("seq")
    assert [row.type for row in news] == ["proposal.opened", "proposal.closed", "rulebook.changed"]
    assert AuditEntry.objects.filter(action="proposal.closed", subject_id=vote.pk).count() == 1


@contextmanager
def standing(owner: psycopg.Connection, step: str, vote: Proposal) -> Iterator[None]:
    """Whoever comes to that step of that vote's close waits for the owner's connection, and holds what they hold."""
    if step == "the count":
        with owner.transaction():
            owner.execute("LOCK TABLE fortunes_exclusion IN ACCESS EXCLUSIVE MODE")
            yield
    elif step == "the gate":
        closing.stop(proposal_id=vote.pk)
        with owner.transaction():
            owner.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [gate.NAMESPACE, vote.campaign_id])
            yield
    else:
        kind = "CONSTRAINT TRIGGER" if step == "the commit" else "TRIGGER"
        at = (COMMIT if step == "the commit" else TRIGGERS[step]).format(vote=vote.pk, campaign=vote.campaign_id)
        owner.execute(MEET)
        owner.execute(f"CREATE {kind} test_stand_still {at} EXECUTE FUNCTION test_stand_still()".encode())
        try:
            with owner.transaction():
                owner.execute("SELECT pg_advisory_xact_lock(20170118)")
                yield
        finally:
            owner.execute("DROP FUNCTION test_stand_still CASCADE")


def kill_at(step: str, vote: Proposal, owner: psycopg.Connection, log: Path) -> None:
    with standing(owner, step, vote), system.worker(log, **PATIENT) as doomed:
        # At the gate nobody waits for long: they come again when they are rung for.
        system.eventually(lambda: _is_waited_for(owner) or celery.start(TASK))
        _kill(doomed)
        assert again(vote).outcome is None


def _is_waited_for(owner: psycopg.Connection) -> bool:
    return owner.execute(WAITING_FOR_ME.encode()).fetchone() != (0,)


def _kill(worker: subprocess.Popen[bytes]) -> None:
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def test_killed_with_9_at_each_step(clock: Clock, owner_connection: psycopg.Connection, tmp_path: Path) -> None:
    """The next worker first takes the former one's vote to its end, and comes to the same result."""
    votes = []
    for step in ("no more ballots", "the count", "the gate", *list(TRIGGERS)[1:], "the commit"):
        votes.append(vote := due(clock))
        kill_at(step, vote, owner_connection, tmp_path / "worker.log")
    with system.worker(tmp_path / "worker.log"):
        celery.start(TASK)
        system.eventually(lambda: all(again(vote).state == State.CLOSED for vote in votes))
    for vote in votes:
        verify(vote)


def test_two_beats_ring_for_two_workers(clock: Clock, tmp_path: Path) -> None:
    votes = [due(clock) for _ in range(5)]
    with ExitStack() as running:
        for name in ("one", "other"):
            running.enter_context(system.worker(tmp_path / f"worker-{name}.log"))
            running.enter_context(system.beat(tmp_path / f"beat-{name}.log"))
        system.eventually(lambda: all(again(vote).state == State.CLOSED for vote in votes))
    for vote in votes:
        verify(vote)
