"""What most tests of cards begin with. A file that needs another season, or players who hold something, has its own."""

from __future__ import annotations

import pytest

from accounts.models import Player
from fortunes.models import Campaign
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory
from tests.factories.trades import befriend


@pytest.fixture
def season() -> Campaign:
    """With every special card, and nobody has any."""
    return make.TradingSeasonFactory.create()


@pytest.fixture
def alice() -> Player:
    return PlayerFactory.create()


@pytest.fixture
def bob(alice: Player) -> Player:
    """Alice's friend."""
    bob = PlayerFactory.create()
    befriend(alice, bob)
    return bob
