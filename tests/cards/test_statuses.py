"""What the SQL functions of the hot verbs answer where a season isn't there, or not as it was remembered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Player
from cards import answers, asking, dealing, drawing
from cards.actions import checkins, scans, showing
from fortunes import clock, errors, rulebooks, sql
from fortunes.models import Campaign, DatabaseNow, Rulebook
from tests.factories import cards as make
from tests.factories.accounts import FriendshipFactory, PlayerFactory

pytestmark = pytest.mark.committed

ONE_CARD: dict[str, Any] = {
    "weights": {"patriotism": 1},
    "complete_set": ["patriotism"],
    "caps": {},
    "quotas": make.PLENTY,
}


@pytest.fixture
def season() -> Campaign:
    return make.SeasonFactory.create(rulebook=ONE_CARD)


@pytest.fixture
def friends() -> tuple[Player, Player]:
    one, other = PlayerFactory.create_batch(2)
    FriendshipFactory.create(player=one, friend=other)
    return one, other


def change_rules(season: Campaign) -> None:
    """A second version is in force; this process still believes in the first."""
    assert rulebooks.believed(season.pk) == 1
    first = Rulebook.objects.get(campaign=season, version=1)
    Rulebook.objects.create(campaign=season, version=2, rules=first.rules, in_force_at=DatabaseNow())


def test_a_gift_before_the_opening(friends: tuple[Player, Player]) -> None:
    soon = clock.now() + timedelta(hours=1)
    season = make.SeasonFactory.create(opens_at=soon, closes_at=soon + timedelta(hours=1), rulebook=ONE_CARD)
    with pytest.raises(errors.CampaignNotLive):
        make.give(season, *friends, ["patriotism"])


def test_a_gift_by_the_rules_of_yesterday_is_made_by_those_of_today(
    season: Campaign, friends: tuple[Player, Player]
) -> None:
    make.DrawFactory.create(campaign=season, player=friends[0])
    change_rules(season)
    given = make.give(season, *friends, ["patriotism"])
    assert given.trade.gives == ["patriotism"]
    assert rulebooks.believed(season.pk) == 2


def test_a_scan_by_the_rules_of_yesterday_is_judged_by_those_of_today(season: Campaign) -> None:
    player = PlayerFactory.create()
    assert isinstance(make.redeem(season, player), answers.Redemption)
    change_rules(season)
    assert isinstance(make.redeem(season, player), answers.Redemption)
    assert rulebooks.believed(season.pk) == 2


def test_a_gift_in_a_season_that_is_not_there(season: Campaign, friends: tuple[Player, Player]) -> None:
    """No view lets it come to this: whoever calls the function without them is refused all the same."""
    giver, receiver = friends
    asked = make.asked(giver, "trades", {})
    params = asking.gift(asked, season.pk, giver, receiver.public_id, [0]) | {"campaign": season.pk + 10**9}
    with pytest.raises(errors.CampaignNotFound):
        dealing.deal("give", lambda: params, campaign_id=season.pk, newcomer=lambda row: row.receiver)


def test_a_scan_in_a_season_that_is_not_there(season: Campaign) -> None:
    player = PlayerFactory.create()
    wish = scans.wish(make.scan(season, player), campaign=season)
    rules = rulebooks.version(season.pk, 1)
    params = drawing.params(season, 1, rules, [wish]) | {"campaign": season.pk + 10**9}
    (row,) = sql.fetch_alone(sql.text("cards", "scan"), params)
    assert row.status == "missing"
    assert drawing.REFUSALS[row.status] is errors.CampaignNotFound


def test_who_is_asked_to_try_again_every_time_comes_back_later(
    season: Campaign, friends: tuple[Player, Player], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attempts are counted, and used up at once here."""
    monkeypatch.setattr(dealing, "ATTEMPTS", 0)
    monkeypatch.setattr(drawing, "ATTEMPTS", 0)
    with pytest.raises(errors.Busy):
        make.give(season, *friends, ["patriotism"])
    with pytest.raises(errors.Busy):
        checkins.check_in(campaign=season, asked=make.asked(friends[0], "check-ins", {}))
    assert isinstance(make.redeem(season, friends[0]), errors.Busy)


def test_only_units_of_a_capped_kind_are_issues(season: Campaign, friends: tuple[Player, Player]) -> None:
    drawn = make.DrawFactory.create(campaign=season, player=friends[0])
    with pytest.raises(ValueError, match="serial"):
        showing.issue(drawn)
