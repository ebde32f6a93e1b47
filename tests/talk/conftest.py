"""A season with a vote that is open, and players who talk about it."""

from __future__ import annotations

import pytest

from accounts.models import Player
from fortunes.models import Campaign, Proposal
from tests.factories import cards as make
from tests.factories import votes
from tests.factories.accounts import PlayerFactory


@pytest.fixture
def season(db: None) -> Campaign:
    return make.SeasonFactory.create()


@pytest.fixture
def vote(season: Campaign) -> Proposal:
    return votes.OpenProposalFactory.create(campaign=season)


@pytest.fixture
def alice(db: None) -> Player:
    return PlayerFactory.create(nickname="Alice")


@pytest.fixture
def bob(db: None) -> Player:
    return PlayerFactory.create(nickname="Bob")


@pytest.fixture
def staff(db: None) -> Player:
    return PlayerFactory.create(nickname="Weary", is_staff=True)
