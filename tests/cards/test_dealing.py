"""What the tests deal by themselves is a history like any other."""

from __future__ import annotations

import pytest

from accounts.models import Player
from fortunes import invariants
from fortunes.models import Campaign
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.committed


def test_a_dealt_hand_is_a_hand_with_a_history() -> None:
    season: Campaign = make.TradingSeasonFactory.create()
    player: Player = PlayerFactory.create()
    make.deal(season, player, "harmony", "harmony", "wild", "patriotism")
    assert make.held(season, player) == {"harmony": 2, "patriotism": 1, "wild": 1}
    assert not [found for check in invariants.every() for found in invariants.violations(check)]
