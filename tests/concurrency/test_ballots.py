"""Ballots under races on real PostgreSQL: one a player, each counted once, none after the close."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django.db.models import Count, Sum

from accounts.models import Player
from fortunes import answers, errors, gate
from fortunes.actions import ballots, closing
from fortunes.models import Ballot, BallotCount, Proposal
from tests.concurrency.together import patiently, together, until
from tests.concurrency.variants import holding, meeting, without
from tests.factories import votes
from tests.plugins.clock import Clock

pytestmark = pytest.mark.committed

# Within the statement that judges and writes: its snapshot has been taken, nothing is written yet.
JUDGED = "k.key = a.key LIMIT 1) first ON true\n"
LOCK = "             ORDER BY m.player_id\n               FOR NO KEY UPDATE) m;\n"
GATE_LOCK = "    PERFORM pg_advisory_xact_lock_shared(5525, the_campaign::integer);\n"


@pytest.fixture
def vote() -> Proposal:
    return votes.OpenProposalFactory.create()


@pytest.fixture
def second_thoughts() -> Proposal:
    """A vote with ten options whose ballots may be changed."""
    return votes.OpenProposalFactory.create(may_change=True, options=[{}] * 10)


def cast(player: Player, vote: Proposal, option: int = 1, key: str | None = None) -> Any:
    return patiently(partial(votes.cast, player, vote, option, key=key))


def rows(vote: Proposal) -> dict[int, int]:
    """Ballots by option, from the ballots themselves."""
    return dict(Ballot.objects.filter(proposal=vote).values_list("option").annotate(Count("pk")))


def counts(vote: Proposal) -> dict[int, int]:
    """Ballots by option, from the counts."""
    summed = BallotCount.objects.filter(proposal=vote).values_list("option").annotate(Sum("ballots"))
    return {option: ballots for option, ballots in summed if ballots}


def erase(vote: Proposal, owner: psycopg.Connection) -> None:
    """Take away what a control broke: the session ends with a check of the invariants."""
    owner.execute("DELETE FROM fortunes_ballotcount WHERE proposal_id = %s", [vote.pk])
    owner.execute("DELETE FROM fortunes_ballot WHERE proposal_id = %s", [vote.pk])


def test_100_ballots_of_one_player_at_once_are_one(vote: Proposal) -> None:
    player = votes.VoterFactory.create(proposal=vote)
    outcomes = together(*(partial(cast, player, vote, number % 2 + 1) for number in range(100)))

    assert Counter(map(type, outcomes)) == {answers.BallotReceipt: 1, errors.BallotAlreadyCast: 99}
    (receipt,) = (outcome for outcome in outcomes if isinstance(outcome, answers.BallotReceipt))
    assert {refusal.facts["option"] for refusal in outcomes if refusal is not receipt} == {receipt.option}
    assert rows(vote) == counts(vote) == {receipt.option: 1}


def test_one_ballot_sent_20_times_at_once_is_one(vote: Proposal) -> None:
    player = votes.VoterFactory.create(proposal=vote)
    outcomes = together(*[partial(cast, player, vote, 1, "k")] * 20)
    assert outcomes == [outcomes[0]] * 20
    assert isinstance(outcomes[0], answers.BallotReceipt)
    assert rows(vote) == counts(vote) == {1: 1}


def test_control_without_the_look_at_its_key_a_duplicate_is_refused(
    vote: Proposal, owner_connection: psycopg.Connection
) -> None:
    player = votes.VoterFactory.create(proposal=vote)
    blind = {"first.body_hash IS NOT NULL": "false"}
    with without(owner_connection, "fortunes", "cast", cut="first.body_hash = a.body_hash", put="false", more=blind):
        outcomes = together(*[partial(cast, player, vote, 1, "k")] * 5)
    assert Counter(map(type, outcomes)) == {answers.BallotReceipt: 1, errors.BallotAlreadyCast: 4}


def change_to_each_option(player: Player, vote: Proposal) -> list[Any]:
    """The ballot is for the first one; it is changed to the eight others at once."""
    return together(*(partial(cast, player, vote, option) for option in range(2, 10)))


def test_a_ballot_changed_8_times_at_once_counts_once(second_thoughts: Proposal) -> None:
    player = votes.VoterFactory.create(proposal=second_thoughts)
    cast(player, second_thoughts)
    outcomes = change_to_each_option(player, second_thoughts)

    assert all(outcome.changed for outcome in outcomes)
    assert sum(rows(second_thoughts).values()) == 1
    assert counts(second_thoughts) == rows(second_thoughts)


def test_control_without_the_lock_on_the_membership_a_changed_ballot_counts_many_times(
    second_thoughts: Proposal, owner_connection: psycopg.Connection
) -> None:
    player = votes.VoterFactory.create(proposal=second_thoughts)
    cast(player, second_thoughts)
    # So many others of the player's shard voted alike that the constraint finds nothing wrong.
    owner_connection.execute(
        "UPDATE fortunes_ballotcount SET ballots = ballots + 10 WHERE proposal_id = %s", [second_thoughts.pk]
    )
    with (
        meeting(owner_connection, 8) as meet,
        without(
            owner_connection, "fortunes", "cast",
            cut="               FOR NO KEY UPDATE) m;", put=") m;", more={JUDGED: f"{JUDGED} WHERE {meet}\n"},
        ),
    ):  # fmt: skip
        change_to_each_option(player, second_thoughts)
    found = counts(second_thoughts)
    erase(second_thoughts, owner_connection)

    assert found[1] < 10
    assert sum(count for option, count in found.items() if option != 1) > 1


def test_lists_that_cross_are_all_cast(vote: Proposal) -> None:
    """Forty voters in lists of twenty, each of them in many lists, in any order."""
    voters = votes.VoterFactory.create_batch(40, proposal=vote)

    def cast_list(start: int) -> list[Any]:
        chosen = (voters + voters)[start : start + 20]
        if start % 2:
            chosen.reverse()
        wanted = [votes.wanted(voter, vote, start % 2 + 1) for voter in chosen]
        return patiently(partial(ballots.cast_many, campaign_id=vote.campaign_id, wanted=wanted))

    outcomes = together(*(partial(cast_list, start) for start in range(0, 40, 2)), partial(cast_list, 1))
    kinds = Counter(type(outcome) for answer in outcomes for outcome in answer)
    assert set(kinds) == {answers.BallotReceipt, errors.BallotAlreadyCast}
    assert kinds[answers.BallotReceipt] == 40
    assert counts(vote) == rows(vote)
    assert sum(rows(vote).values()) == 40


def test_control_lists_that_cross_deadlock_without_the_order_of_locks(
    vote: Proposal, owner_connection: psycopg.Connection
) -> None:
    """Each has its first lock before either goes on to its second, which the other has."""
    one, other = votes.VoterFactory.create_batch(2, proposal=vote)

    def cast_list(*voters: Player) -> list[Any]:
        wanted = [votes.wanted(voter, vote) for voter in voters]
        return ballots.cast_many(campaign_id=vote.campaign_id, wanted=wanted)

    with meeting(owner_connection, 2) as meet:
        unordered = LOCK.replace("m.player_id\n", "array_position(players, m.player_id)\n")
        # OFFSET keeps the planner from meeting before the row is locked.
        unordered = unordered.replace(") m;", f" OFFSET 0) m WHERE {meet};")
        with without(owner_connection, "fortunes", "cast", cut=LOCK, put=unordered):
            outcomes = together(partial(cast_list, one, other), partial(cast_list, other, one))
    # PostgreSQL looks for deadlocks after a second, and a lock is waited for as long: either ends it.
    assert any(isinstance(outcome, OperationalError) for outcome in outcomes)


def test_60_voters_of_every_shard_at_once_are_all_counted(vote: Proposal) -> None:
    voters = votes.VoterFactory.create_batch(60, proposal=vote)
    outcomes = together(*(partial(cast, voter, vote, number % 3 // 2 + 1) for number, voter in enumerate(voters)))
    assert Counter(map(type, outcomes)) == {answers.BallotReceipt: 60}
    assert rows(vote) == counts(vote) == {1: 40, 2: 20}


# All players in one shard: whoever adds to its row waits for whoever added before.
ONE_SHARD = {
    "(m.player % 64)::smallint AS shard": "0::smallint AS shard",
    "GROUP BY m.proposal_id, m.option, m.player % 64": "GROUP BY m.proposal_id, m.option",
}


@pytest.mark.parametrize("seen_before", [False, True])
def test_8_voters_of_one_shard_and_a_control_that_adds_to_what_it_saw_before(
    vote: Proposal, owner_connection: psycopg.Connection, seen_before: bool
) -> None:
    """The row's newest version is what is added to, not the one of the statement's snapshot."""
    voters = votes.VoterFactory.create_batch(8, proposal=vote)
    BallotCount.objects.create(proposal=vote, option=1, shard=0, ballots=0)
    seen = "SET ballots = (SELECT s.ballots FROM fortunes_ballotcount s WHERE s.proposal_id = c.proposal_id)"
    with meeting(owner_connection, 8) as meet:
        changed = {JUDGED: f"{JUDGED} WHERE {meet}\n", **ONE_SHARD}
        if seen_before:
            changed["SET ballots = c.ballots"] = seen
        with without(owner_connection, "fortunes", "cast", cut="SET jit = off", put="SET jit = off", more=changed):
            outcomes = together(*(partial(cast, voter, vote) for voter in voters))
    found = counts(vote)
    erase(vote, owner_connection)

    assert Counter(map(type, outcomes)) == {answers.BallotReceipt: 8}
    assert found == {1: 1 if seen_before else 8}


def close(vote: Proposal) -> Proposal:
    """As the worker does that finds the gate held."""

    def closed() -> bool:
        try:
            return closing.close(proposal_id=vote.pk)
        except gate.Held:
            return False

    until(closed)
    return Proposal.objects.get(pk=vote.pk)


def cast_held(
    vote: Proposal, owner: psycopg.Connection, clock: Clock, *, gate_lock: str = GATE_LOCK
) -> tuple[Proposal, Any]:
    """A ballot that was judged in time and commits after its vote was to close; the vote when it has closed."""
    voter = votes.VoterFactory.create(proposal=vote)

    def ballot() -> Any:
        try:
            return votes.cast(voter, vote)
        finally:
            connection.close()

    with (
        ThreadPoolExecutor(1) as pool,
        holding(owner) as (hold, is_held, release),
        without(owner, "fortunes", "cast", cut=JUDGED, put=f"{JUDGED} WHERE {hold}\n"),
        without(owner, "fortunes", "gate_lock", cut=GATE_LOCK, put=gate_lock),
    ):
        held = pool.submit(ballot)
        until(is_held)
        clock.move_to(vote.closes_at)
        closed = close(vote)
        release()
        return closed, held.result()


def test_the_close_waits_for_a_ballot_that_has_passed_the_gate(
    vote: Proposal, owner_connection: psycopg.Connection, clock: Clock
) -> None:
    closed, receipt = cast_held(vote, owner_connection, clock)
    assert isinstance(receipt, answers.BallotReceipt)
    assert (closed.state, closed.cast, rows(vote)) == ("closed", 1, {1: 1})


def test_control_without_the_gate_a_ballot_commits_after_the_close(
    vote: Proposal, owner_connection: psycopg.Connection, clock: Clock
) -> None:
    closed, receipt = cast_held(vote, owner_connection, clock, gate_lock="")
    found = rows(vote)
    erase(vote, owner_connection)

    assert isinstance(receipt, answers.BallotReceipt)
    assert (closed.state, closed.cast, found) == ("closed", 0, {1: 1})


def test_ballots_that_straddle_the_close_are_counted_or_refused(vote: Proposal, clock: Clock) -> None:
    """Six threads of voters, and two workers that close: what was answered with a receipt is what was counted."""
    crowd = [votes.VoterFactory.create_batch(25, proposal=vote) for _ in range(6)]
    some, due, closed = threading.Event(), threading.Event(), threading.Event()

    def vote_on(voters: list[Player]) -> list[Any]:
        outcomes: list[Any] = []
        for number, voter in enumerate(voters):
            if number == len(voters) // 2:
                some.set()
            if number == len(voters) - 1:
                # At least one of each comes after the close.
                assert closed.wait(60)
            try:
                outcomes.append(cast(voter, vote, number % 2 + 1))
            except errors.VoteNotOpen as refusal:
                outcomes.append(refusal)
        return outcomes

    def come_to_the_close() -> None:
        assert some.wait(60)
        clock.move_to(vote.closes_at)
        due.set()
        close_it()

    def close_it() -> None:
        assert due.wait(60)
        close(vote)
        closed.set()

    *answered, done, again = together(*(partial(vote_on, voters) for voters in crowd), come_to_the_close, close_it)
    assert (done, again) == (None, None)
    outcomes = [outcome for outcomes in answered for outcome in outcomes]
    receipts = {outcome.leaf for outcome in outcomes if isinstance(outcome, answers.BallotReceipt)}
    refused = [outcome for outcome in outcomes if isinstance(outcome, errors.VoteNotOpen)]
    assert len(receipts) + len(refused) == 6 * 25
    assert len(refused) >= 6

    vote.refresh_from_db()
    assert vote.cast == len(receipts)
    assert counts(vote) == rows(vote)
    published = ballots.published(proposal_id=vote.public_id, after=b"", limit=1000)
    assert [leaf.leaf for leaf in published] == sorted(receipts)
    assert not Ballot.objects.filter(proposal=vote, at__gte=vote.closes_at).exists()
