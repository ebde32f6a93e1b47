"""A season with a vote, for the tests of races around its close."""

from __future__ import annotations

import pytest

from fortunes.models import Campaign, Proposal
from tests.factories.cards import SeasonFactory
from tests.votes.motions import opened, voted


@pytest.fixture
def season() -> Campaign:
    campaign: Campaign = SeasonFactory.create()
    return campaign


@pytest.fixture
def vote(season: Campaign) -> Proposal:
    """Three ballots, two of them for a change."""
    vote = opened(season)
    voted(vote, 1, 2, 2)
    return vote
