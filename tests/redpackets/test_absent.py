"""What is asked of a season that has no money yet, or isn't there."""

from __future__ import annotations

import pytest

from fortunes.errors import CampaignNotFound
from redpackets import errors
from redpackets.actions import packets, showing
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.committed


def test_a_draft_has_neither_settlement_nor_manifest() -> None:
    season = make.DraftSeasonFactory.create()
    with pytest.raises(errors.SettlementNotFound):
        showing.settlement(campaign_id=season.pk)
    with pytest.raises(errors.SettlementNotFound):
        showing.manifest(campaign_id=season.pk)


def test_a_packet_of_a_season_that_is_not_there() -> None:
    season = make.DraftSeasonFactory.create()
    with pytest.raises(CampaignNotFound):
        packets.view(campaign_id=season.pk + 10**9, player_id=PlayerFactory.create().pk)
