"""What `cards_play` answers where no usual path leads."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Player
from cards import catalogue, playing
from cards.models import Play
from fortunes import errors as ground
from fortunes import rulebooks, sql
from fortunes.models import Campaign
from tests.factories import cards as make
from tests.factories import trades as deals
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

NOWHERE = 2**30


def test_nothing_is_played_before_the_season_begins(season: Campaign, alice: Player, clock: Clock) -> None:
    # Read while it is in force: the clock then goes back behind that.
    rulebooks.believed(season.pk)
    clock.move_to(season.opens_at - timedelta(seconds=1))
    with pytest.raises(ground.CampaignNotLive):
        deals.turn(season, alice, "harmony")


def test_a_campaign_that_is_not_there(season: Campaign, alice: Player) -> None:
    move = playing.Move(type=Play.Type.WILD, campaign=season, by=alice, kind="harmony")
    given = playing.params(make.asked(alice, "wilds", {}), move, catalogue.of(season.pk), wanted=0)
    (row,) = sql.fetch_alone(sql.text("cards", "play"), given | {"campaign": NOWHERE})
    assert row.status == "missing"
