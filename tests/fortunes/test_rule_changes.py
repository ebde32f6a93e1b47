"""Changes of the rules: who may make which, what each leaves behind, what the deadline and the freeze do with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from accounts.models import Player
from cards import errors as card_errors
from cards.models import StockTranche
from fortunes import clock as database_clock
from fortunes import errors, gate, rulebooks, tasks
from fortunes.actions import campaigns, rulechanges
from fortunes.models import (
    Amendment,
    AuditEntry,
    Broadcast,
    Campaign,
    Compensation,
    Proposal,
    Rulebook,
)
from fortunes.phases import Phase
from redpackets.actions import openings, pools
from redpackets.models import Settlement
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory
from tests.factories.votes import DraftProposalFactory, OpenProposalFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

# The steal card is known, isn't drawn, and can't be played.
RULES: dict[str, Any] = {
    "weights": {"patriotism": 5, "prosperity": 5, "harmony": 5, "friendliness": 5, "dedication": 5, "steal": 0},
    "caps": {"dedication": {"units": 100, "tranches": 1}},
    "quotas": {"code": {"per_day": 100, "per_campaign": 3}},
}
STEALS = {"specials": ["wild", "copy", "steal"], "weights": {"steal": 5}}


@pytest.fixture
def staff() -> Player:
    return PlayerFactory.create(is_staff=True)


@pytest.fixture
def season() -> Campaign:
    return make.SeasonFactory.create(specials=True, rulebook=RULES)


def newest(campaign: Campaign) -> Rulebook:
    return rulebooks.newest(campaign.pk)


def told(campaign: Campaign) -> list[dict[str, Any]]:
    rows = Broadcast.objects.filter(campaign=campaign, type="rulebook.changed").order_by("seq")
    return list(rows.values_list("data", flat=True))


def audited(campaign: Campaign) -> list[str]:
    rows = AuditEntry.objects.filter(data__campaign=campaign.pk, action__startswith="rules.").order_by("seq")
    return list(rows.values_list("action", flat=True))


def by_vote(campaign: Campaign, **given: Any) -> Rulebook:
    """As the close of a vote does it, without the vote."""
    with transaction.atomic():
        gate.close(campaign.pk)
        return rulechanges.apply(campaign_id=campaign.pk, reason=Rulebook.Reason.VOTE, by=None, **given)


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
    assert (newest(season).version, told(season), audited(season)) == (1, [], [])


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
    assert newest(season).version == 1


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
    assert newest(season).version == 1


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


def test_a_deadline_moves_again_by_what_is_more(season: Campaign) -> None:
    by_vote(season, patch={"extension_min": 10})
    by_vote(season, patch={"extension_min": 18})

    assert Campaign.objects.get(pk=season.pk).closes_at == season.closes_at + timedelta(minutes=18)
    with pytest.raises(errors.RuleChangeImpossible, match="never moved back"):
        by_vote(season, patch={"extension_min": 17})


# --- announcements


def announce(campaign: Campaign, *, later: timedelta = timedelta(days=2), **changes: Any) -> Amendment:
    return rulechanges.announce(
        campaign_id=campaign.pk, name_zh="顺手牵羊卡", name_en="The steal card", changes=changes,
        takes_force_at=campaign.opens_at + later, by=None,
    )  # fmt: skip


@pytest.fixture
def announced() -> Amendment:
    """For two days after the opening."""
    season = make.SeasonFactory.create(specials=True, rulebook=RULES, announced=[(timedelta(days=2), STEALS)])
    return Amendment.objects.get(campaign=season)


def test_an_announced_change_takes_force_when_its_date_has_come(announced: Amendment, clock: Clock) -> None:
    season = announced.campaign
    rulechanges.apply_due()
    assert newest(season).version == 1

    clock.move_to(announced.takes_force_at)
    tasks.change_rules()
    tasks.change_rules()
    announced.refresh_from_db()
    made = newest(season)

    assert (made.version, made.reason, made.amendment) == (2, "staff", announced)
    assert rulebooks.current(season.pk).specials == ("wild", "copy", "steal")
    assert announced.applied_at == made.in_force_at >= announced.takes_force_at
    (heard,) = told(season)
    assert (heard["amendment"], heard["proposal"]) == (str(announced.public_id), None)
    assert audited(season) == ["rules.announced", "rules.announcement_applied"]
    assert list(Broadcast.objects.filter(campaign=season).order_by("seq").values_list("type", flat=True)) == [
        "rule.announced", "campaign.opened", "rulebook.changed",
    ]  # fmt: skip


def test_an_announced_change_is_laid_over_the_rules_of_its_day(
    announced: Amendment, staff: Player, clock: Clock
) -> None:
    season = announced.campaign
    rulechanges.change_by_staff(campaign_id=season.pk, patch={"quotas": {"code": {"per_day": 107}}}, by=staff.pk)
    clock.move_to(announced.takes_force_at)
    rulechanges.apply_due()

    now = rulebooks.current(season.pk)
    assert (now.quotas["code"].per_day, now.weights["steal"]) == (107, 5)


def test_what_was_struck_never_takes_force(announced: Amendment, clock: Clock) -> None:
    vote = OpenProposalFactory.create(campaign=announced.campaign)
    Amendment.objects.filter(pk=announced.pk).update(struck_at=database_clock.now(), struck_by=vote)
    clock.move_to(announced.takes_force_at)
    rulechanges.apply_due()

    assert newest(announced.campaign).version == 1


def test_it_waits_for_the_vote_that_could_strike_it(announced: Amendment, clock: Clock) -> None:
    """Its worker may be late. A vote that closes later than the date strikes nothing, and nothing waits for it."""
    early, late = (
        OpenProposalFactory.create(campaign=announced.campaign, closes_at=closes_at, strikes={2: announced})
        for closes_at in (announced.takes_force_at, announced.takes_force_at + timedelta(seconds=1))
    )
    clock.move_to(announced.takes_force_at)
    rulechanges.apply_due()
    assert newest(announced.campaign).version == 1

    Proposal.objects.filter(pk=early.pk).update(state="counting", counting_at=database_clock.now())
    rulechanges.apply_due()
    assert newest(announced.campaign).version == 1

    Proposal.objects.filter(pk=early.pk).update(state="cancelled", cancelled_at=database_clock.now())
    rulechanges.apply_due()
    assert newest(announced.campaign).version == 2
    assert Proposal.objects.get(pk=late.pk).state == "open"


def test_announcements_take_force_in_their_order(clock: Clock) -> None:
    draft, day = make.DraftSeasonFactory.create(), timedelta(days=1)
    last, first = announce(draft, later=4 * day, wilds_fill=True), announce(draft, later=3 * day, specials=["wild"])
    # At the same instant the one that was announced first.
    middle = announce(draft, later=3 * day, specials=["wild", "copy"])
    pool = pools.create(campaign_id=draft.pk, amount_fen=100)
    pools.fund(pool_id=pool.pk, amount_fen=100, business_key=f"fund:{draft.slug}")
    openings.open(campaign_id=draft.pk)

    clock.move_to(last.takes_force_at)
    for _ in range(3):
        rulechanges.apply_due()

    made = Rulebook.objects.filter(campaign=draft, version__gt=1).order_by("version")
    assert [version.amendment for version in made] == [first, middle, last]


def test_an_announcement_that_has_become_impossible_is_noted(clock: Clock) -> None:
    season = make.SeasonFactory.create(announced=[(timedelta(days=2), {"extension_min": 10})])
    by_vote(season, patch={"extension_min": 11})
    announced = season.amendments.get()
    clock.move_to(announced.takes_force_at)
    rulechanges.apply_due()
    rulechanges.apply_due()
    announced.refresh_from_db()

    assert "/extension_min" in announced.impossible
    assert (announced.applied_at, newest(season).version, told(season)) == (None, 2, [])
    assert audited(season) == ["rules.announced", "rules.announcement_impossible"]


def test_a_draft_changes_by_no_announcement(clock: Clock) -> None:
    draft = make.DraftSeasonFactory.create()
    announced = announce(draft, wilds_fill=True)
    clock.move_to(announced.takes_force_at)
    rulechanges.apply_due()

    assert newest(draft).version == 1


def test_one_campaign_that_fails_holds_up_no_other(announced: Amendment, clock: Clock) -> None:
    broken = make.SeasonFactory.create(announced=[(timedelta(days=1), {"wilds_fill": True})])
    # What no action does: rules that don't parse.
    with transaction.atomic():
        Rulebook.objects.create(campaign=broken, version=2, rules={}, reason="staff")
    clock.move_to(announced.takes_force_at)
    with pytest.raises(ValueError, match="weights"):
        rulechanges.apply_due()

    assert newest(announced.campaign).version == 2


def test_after_the_opening_nothing_is_announced(season: Campaign) -> None:
    with pytest.raises(errors.RuleNeedsVote) as refused:
        announce(season, wilds_fill=True)
    assert refused.value.facts == {"paths": ["/wilds_fill"]}


@pytest.mark.parametrize(
    ("later", "changes", "said"),
    [
        (timedelta(minutes=-1), {"wilds_fill": True}, "date"),
        (timedelta(), {"wilds_fill": True}, "date"),
        (timedelta(days=14), {"wilds_fill": True}, "date"),
        (timedelta(days=2), {"wilds_fill": False}, "changes nothing"),
        (timedelta(days=2), {"luck": True}, "luck"),
        (timedelta(days=2), {"weights": {"luck": 1}}, "/weights/luck"),
        (timedelta(days=2), {"extension_min": 19}, "reveal"),
        # Another one comes before it.
        (timedelta(days=4), {"specials": []}, "changes nothing"),
    ],
)
def test_what_is_no_announcement(later: timedelta, changes: dict[str, Any], said: str) -> None:
    draft = make.DraftSeasonFactory.create(opens_at=database_clock.now() + timedelta(minutes=1))
    announce(draft, later=timedelta(days=3), specials=[])
    with pytest.raises(errors.RuleChangeImpossible, match=said):
        announce(draft, later=later, **changes)


def test_a_campaign_that_is_not_there_announces_nothing() -> None:
    with pytest.raises(errors.CampaignNotFound):
        rulechanges.announce(
            campaign_id=0, name_zh="", name_en="", changes={}, takes_force_at=database_clock.now(), by=None
        )


# --- the freeze


def test_the_freeze_waits_for_the_votes_that_were_to_close_before(season: Campaign, clock: Clock) -> None:
    vote = OpenProposalFactory.create(campaign=season, closes_at=season.closes_at)
    OpenProposalFactory.create(campaign=season, closes_at=season.closes_at + timedelta(seconds=1))
    DraftProposalFactory.create(campaign=season)
    clock.move_to(season.closes_at)
    assert not campaigns.freeze(campaign_id=season.pk)

    Proposal.objects.filter(pk=vote.pk).update(state="counting", counting_at=database_clock.now())
    assert not campaigns.freeze(campaign_id=season.pk)
    assert Campaign.objects.get(pk=season.pk).frozen_at is None

    Proposal.objects.filter(pk=vote.pk).update(state="cancelled", cancelled_at=database_clock.now())
    assert campaigns.freeze(campaign_id=season.pk)
    OpenProposalFactory.create(campaign=season, closes_at=season.closes_at)
    assert campaigns.freeze(campaign_id=season.pk)


def test_the_freeze_waits_for_announced_changes_that_were_due(announced: Amendment, clock: Clock) -> None:
    season = announced.campaign
    clock.move_to(season.closes_at)
    assert not campaigns.freeze(campaign_id=season.pk)

    rulechanges.apply_due()
    assert campaigns.freeze(campaign_id=season.pk)
    frozen = Campaign.objects.get(pk=season.pk)
    assert newest(season).in_force_at < frozen.frozen_at
    assert Settlement.objects.get(pool__campaign=season).state == Settlement.State.FREEZE


@pytest.mark.parametrize("ended", [{"impossible": "for a reason"}, {"struck": True}])
def test_the_freeze_waits_for_nothing_that_has_ended(announced: Amendment, clock: Clock, ended: dict[str, Any]) -> None:
    if ended.pop("struck", False):
        vote = OpenProposalFactory.create(campaign=announced.campaign, closes_at=announced.campaign.reveal_at)
        ended = {"struck_at": database_clock.now(), "struck_by": vote}
    Amendment.objects.filter(pk=announced.pk).update(**ended)
    clock.move_to(announced.campaign.closes_at)

    assert campaigns.freeze(campaign_id=announced.campaign_id)
