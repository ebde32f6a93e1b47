"""Changes of the rules by staff and by votes: who may make which, and what each leaves behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Player
from cards import errors as card_errors
from cards.actions import trades
from cards.models import Hand, StockTranche, Trade
from fortunes import clock as database_clock
from fortunes import errors, rulebooks
from fortunes.actions import campaigns, rulechanges
from fortunes.models import Campaign, Compensation
from fortunes.phases import Phase
from redpackets.actions import openings, pools
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory
from tests.fortunes.changing import RULES, audited, by_vote, told
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Player:
    return PlayerFactory.create(is_staff=True)


@pytest.fixture
def season() -> Campaign:
    return make.SeasonFactory.create(specials=True, rulebook=RULES)


# --- staff


def test_staff_raise_a_quota_and_it_is_in_force_at_once(season: Campaign, staff: Player) -> None:
    player = PlayerFactory.create()
    for _ in range(3):
        make.redeem(season, player)
    assert isinstance(make.redeem(season, player), card_errors.CampaignLimitReached)

    patch = {"quotas": {"code": {"per_campaign": 4}}, "trading": {"open_trades": 30}}
    made = rulechanges.change_by_staff(campaign_id=season.pk, patch=patch, by=staff.pk)

    assert make.redeem(season, player).draw.rulebook_version == 2
    assert (made.version, made.reason, made.decided_by_id) == (2, "staff", staff.pk)
    assert made.changes == [
        {"path": "/quotas/code/per_campaign", "before": 3, "after": 4},
        {"path": "/trading/open_trades", "before": 20, "after": 30},
    ]
    (heard,) = told(season)
    assert (heard["version"], heard["reason"], heard["paths"]) == (
        2, "staff", ["/quotas/code/per_campaign", "/trading/open_trades"],
    )  # fmt: skip
    assert audited(season) == ["rules.changed"]
    assert rulebooks.current(season.pk).quotas["code"].per_campaign == 4


@pytest.mark.parametrize(
    "patch",
    [
        {"quotas": {"check-in": {"per_day": 2, "per_campaign": 31}}},
        {"trading": {"links_per_day": 21, "lifetime_h": 48, "received_per_day": 101, "proposals_per_day": 201}},
        {"trading": {"cooling_h": 1}},
    ],
)
def test_what_staff_may_change(patch: dict[str, Any], staff: Player) -> None:
    season = make.SeasonFactory.create(rulebook={"trading": {"cooling_h": 2}})
    assert rulechanges.change_by_staff(campaign_id=season.pk, patch=patch, by=staff.pk).version == 2


@pytest.mark.parametrize(
    ("patch", "paths"),
    [
        ({"quotas": {"code": {"per_day": 2}}}, ["/quotas/code/per_day"]),
        ({"trading": {"open_links": 9, "open_trades": 21}}, ["/trading/open_links"]),
        ({"trading": {"cooling_h": 1}}, ["/trading/cooling_h"]),
        ({"weights": {"harmony": 6}}, ["/weights/harmony"]),
        ({"caps": {"dedication": {"units": 101}}}, ["/caps/dedication/units"]),
        ({"stealing": {"per_day": 4}}, ["/stealing/per_day"]),
        ({"specials": [], "wilds_fill": True}, ["/specials", "/wilds_fill"]),
        ({"split": {"mode": "random"}, "quotas": {"code": {"per_day": 109}}}, ["/split/mode"]),
        ({"extension_min": 1}, ["/extension_min"]),
        ({"complete_set": ["harmony"]}, ["/complete_set"]),
        ({"quotas": {"shop": {"per_day": 1, "per_campaign": 1}}}, ["/quotas/shop"]),
    ],
)
def test_everything_else_needs_a_vote(season: Campaign, staff: Player, patch: dict[str, Any], paths: list[str]) -> None:
    with pytest.raises(errors.RuleNeedsVote) as refused:
        rulechanges.change_by_staff(campaign_id=season.pk, patch=patch, by=staff.pk)

    assert refused.value.facts == {"paths": paths}
    assert (rulebooks.newest(season.pk).version, told(season), audited(season)) == (1, [], [])


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ({}, "changes nothing"),
        ({"quotas": {"code": {"per_day": 100}}}, "changes nothing"),
        ({"luck": 1}, "luck"),
        ({"trading": {"luck": 1}}, "luck"),
        ({"quotas": {"code": {"per_day": "many"}}}, "per_day"),
        ({"quotas": {"code": {"per_day": 10**9}}}, "quotas of code"),
        (["/weights/harmony"], "object"),
    ],
)
def test_what_is_no_change(season: Campaign, staff: Player, patch: Any, said: str) -> None:
    for attempt in (
        lambda: rulechanges.change_by_staff(campaign_id=season.pk, patch=patch, by=staff.pk),
        lambda: rulechanges.possible(campaign=season, patch=patch),
    ):
        with pytest.raises(errors.RuleChangeImpossible, match=said):
            attempt()
    assert rulebooks.newest(season.pk).version == 1


def test_staff_change_nothing_after_the_deadline(season: Campaign, staff: Player, clock: Clock) -> None:
    clock.move_to(season.closes_at)
    with pytest.raises(errors.CampaignFrozen):
        rulechanges.change_by_staff(campaign_id=season.pk, patch={"quotas": {"code": {"per_day": 109}}}, by=staff.pk)


def test_a_campaign_that_is_not_there(staff: Player) -> None:
    with pytest.raises(errors.CampaignNotFound):
        rulechanges.change_by_staff(campaign_id=0, patch={"wilds_fill": True}, by=staff.pk)


def test_staff_change_everything_of_a_draft(staff: Player) -> None:
    draft = make.DraftSeasonFactory.create()
    patch = {"weights": {"harmony": 9}, "caps": {"dedication": {"units": 30, "tranches": 3}}, "wilds_fill": True}
    rulechanges.change_by_staff(campaign_id=draft.pk, patch=patch, by=staff.pk)
    pool = pools.create(campaign_id=draft.pk, amount_fen=100)
    pools.fund(pool_id=pool.pk, amount_fen=100, business_key=f"fund:{draft.slug}")
    openings.open(campaign_id=draft.pk)

    assert rulebooks.current(draft.pk).weights["harmony"] == 9
    assert list(StockTranche.objects.filter(campaign=draft).values_list("units", flat=True)) == [10, 10, 10]
    assert (told(draft), audited(draft)) == ([], ["rules.changed"])


def test_the_deadline_of_a_draft_is_no_rule(staff: Player) -> None:
    draft = make.DraftSeasonFactory.create()
    with pytest.raises(errors.RuleChangeImpossible, match="/extension_min"):
        rulechanges.change_by_staff(campaign_id=draft.pk, patch={"extension_min": 5}, by=staff.pk)


# --- votes


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ({"weights": dict.fromkeys(RULES["weights"], 0)}, "sum to zero"),
        ({"weights": {"harmony": 0}}, "complete set needs harmony"),
        ({"complete_set": ["harmony"]}, "/complete_set"),
        ({"weights": {"luck": 5}}, "/weights/luck"),
        ({"weights": {"steal": None}}, "/weights/steal"),
        ({"quotas": {"code": None}}, "/quotas/code"),
        ({"caps": {"harmony": {"units": 5}}}, "/caps/harmony"),
        ({"caps": {"dedication": {"units": 99}}}, "/caps/dedication/units"),
        ({"specials": ["cheat"]}, "cheat"),
        ({"extension_min": 19}, "reveal"),
    ],
)
def test_what_no_vote_may_do(season: Campaign, patch: dict[str, Any], said: str) -> None:
    """The reveal of the factory's seasons is 18 minutes after the deadline."""
    with pytest.raises(errors.RuleChangeImpossible, match=said):
        rulechanges.possible(campaign=season, patch=patch)
    with pytest.raises(errors.RuleChangeImpossible, match=said):
        by_vote(season, patch=patch)
    assert rulebooks.newest(season.pk).version == 1


def test_a_vote_may_change_the_rest(season: Campaign) -> None:
    patch = {
        "weights": {"harmony": 1, "steal": 3}, "caps": {"dedication": {"units": 200}}, "wilds_fill": True,
        "quotas": {"code": {"per_day": 1}}, "trading": {"open_trades": 1}, "stealing": {"spares_last": False},
        "specials": ["steal"], "split": {"mode": "random", "minimum_fen": 1}, "extension_min": 18,
    }  # fmt: skip
    expected = rulechanges.possible(campaign=season, patch=patch)
    made = by_vote(season, patch=patch)

    assert rulebooks.current(season.pk) == expected
    assert (made.reason, made.decided_by) == ("vote", None)
    assert Compensation.objects.filter(rulebook=made).count() == 0


def test_promises_are_kept_for_roles_that_are_removed(season: Campaign) -> None:
    promises = {
        "wild": {"into": "fen", "amount_fen": 100},
        "copy": {"into": "fortune"},
        "steal": {"into": "wild"},
    }
    made = by_vote(season, patch={"specials": []}, compensations=promises)

    written = Compensation.objects.filter(rulebook=made).values_list("role", "into", "amount_fen")
    assert sorted(written) == [("copy", "fortune", None), ("wild", "fen", 100)]


def test_a_decision_that_has_come_true_by_itself_is_a_version_all_the_same(season: Campaign, staff: Player) -> None:
    patch = {"quotas": {"code": {"per_day": 105}}}
    rulechanges.change_by_staff(campaign_id=season.pk, patch=patch, by=staff.pk)
    made = by_vote(season, patch=patch)

    assert (made.version, made.changes) == (3, [])


def test_nothing_changes_after_the_freeze(season: Campaign, clock: Clock) -> None:
    """Between the deadline and the freeze a vote that was due may change the split, but not the deadline."""
    clock.move_to(season.closes_at)
    with pytest.raises(errors.RuleChangeImpossible, match="deadline has passed"):
        by_vote(season, patch={"extension_min": 1})
    assert by_vote(season, patch={"split": {"mode": "random"}}).version == 2
    assert campaigns.freeze(campaign_id=season.pk)
    with pytest.raises(errors.RuleChangeImpossible, match="frozen"):
        by_vote(season, patch={"split": {"mode": "even"}})


def test_versions_stay_in_order_when_the_clock_goes_back(season: Campaign, clock: Clock) -> None:
    clock.shift(timedelta(minutes=5))
    first = by_vote(season, patch={"wilds_fill": True})
    clock.restore()
    second = by_vote(season, patch={"wilds_fill": False})

    assert second.in_force_at == first.in_force_at
    clock.move_to(first.in_force_at)
    assert rulebooks.in_force(season.pk) == second


# --- the deadline


def test_a_later_deadline_holds_for_everything(season: Campaign, clock: Clock) -> None:
    planned, player = season.closes_at, PlayerFactory.create()
    made = by_vote(season, patch={"extension_min": 10})
    news = rulechanges.news(made)
    moved = Campaign.objects.get(pk=season.pk)

    assert moved.closes_at == planned + timedelta(minutes=10)
    assert news.closes_at.startswith(moved.closes_at.strftime("%Y-%m-%dT%H:%M:%S"))
    clock.move_to(planned + timedelta(minutes=1))
    assert moved.phase(database_clock.now()) is Phase.LIVE
    assert not campaigns.freeze(campaign_id=season.pk)
    assert make.redeem(moved, player).draw.rulebook_version == 2
    clock.move_to(moved.closes_at)
    assert isinstance(make.redeem(moved, player), errors.CampaignFrozen)
    assert campaigns.freeze(campaign_id=season.pk)


def test_trades_go_on_after_a_deadline_that_was_moved(clock: Clock) -> None:
    """Who was told when a trade expires is right; a new one lasts until the new deadline."""
    season = make.TradingSeasonFactory.create()
    alice, bob = PlayerFactory.create_batch(2)
    play.befriend(alice, bob)
    make.deal(season, alice, "harmony", "harmony")
    make.deal(season, bob, "prosperity")
    clock.move_to(season.closes_at - timedelta(hours=1))
    former = play.link_gift(season, alice, "harmony").trade.id
    by_vote(season, patch={"extension_min": 10})
    later = play.request(season, alice, "prosperity", to=[bob]).trade.id
    clock.move_to(season.closes_at + timedelta(minutes=1))
    trades.expire_due()

    assert Trade.objects.get(public_id=former).expires_at == season.closes_at
    assert [Trade.objects.get(public_id=trade).state for trade in (former, later)] == ["expired", "open"]
    assert play.accept(later, bob).trade.state == "accepted"
    assert Hand.objects.get(campaign=season, player=alice).escrow[2] == 0


def test_a_deadline_moves_again_by_what_is_more(season: Campaign) -> None:
    by_vote(season, patch={"extension_min": 10})
    by_vote(season, patch={"extension_min": 18})

    assert Campaign.objects.get(pk=season.pk).closes_at == season.closes_at + timedelta(minutes=18)
    with pytest.raises(errors.RuleChangeImpossible, match="never moved back"):
        by_vote(season, patch={"extension_min": 17})
