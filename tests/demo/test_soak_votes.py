"""What `./dev soak votes` counts is a vote like any other, and its second opinion finds what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.management import call_command

from config.soak import electorate
from fortunes.actions import closing
from fortunes.models import Ballot, Proposal
from tests.plugins.clock import Clock

pytestmark = pytest.mark.committed


@contextmanager
def for_another_option(ballot: Ballot) -> Iterator[None]:
    """A ballot that says something else than was counted, for the length of a block."""
    voted = ballot.option
    Ballot.objects.filter(pk=ballot.pk).update(option=3 - voted)
    try:
        yield
    finally:
        Ballot.objects.filter(pk=ballot.pk).update(option=voted)


def test_its_ballots_hold_and_its_result_is_right(clock: Clock) -> None:
    gathered = electorate.gather(150)
    assert gathered.ballots == 150
    call_command("check_invariants", verbosity=0)
    vote = Proposal.objects.get(pk=gathered.proposal)
    clock.move_to(vote.closes_at)
    assert closing.close(proposal_id=vote.pk)
    vote.refresh_from_db()
    assert (vote.cast, vote.eligible, vote.outcome) == (150, 150, "adopted")
    assert electorate.faults(vote.pk) == []

    with for_another_option(Ballot.objects.filter(proposal=vote)[0]):
        by_invariants, by_the_script = electorate.faults(vote.pk)
    assert "fortunes/ballots_counted" in by_invariants
    assert "ballots, and was told to have" in by_the_script
