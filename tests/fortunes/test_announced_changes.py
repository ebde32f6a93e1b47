"""Changes of the rules that are announced for a date; and what the freeze waits for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from accounts.models import Player
from fortunes import clock as database_clock
from fortunes import errors, rulebooks, tasks
from fortunes.actions import campaigns, rulechanges
from fortunes.models import Amendment, Broadcast, Campaign, Proposal, Rulebook
from redpackets.actions import openings, pools
from redpackets.models import Settlement
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory
from tests.factories.votes import DraftProposalFactory, OpenProposalFactory
from tests.fortunes.changing import RULES, audited, by_vote, told
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

STEALS = {"specials": ["wild", "copy", "steal"], "weights": {"steal": 5}}


@pytest.fixture
def staff() -> Player:
    return PlayerFactory.create(is_staff=True)


@pytest.fixture
def season() -> Campaign:
    return make.SeasonFactory.create(specials=True, rulebook=RULES)


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
    assert rulebooks.newest(season.pk).version == 1

    clock.move_to(announced.takes_force_at)
    tasks.change_rules()
    tasks.change_rules()
    announced.refresh_from_db()
    made = rulebooks.newest(season.pk)

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

    assert rulebooks.newest(announced.campaign_id).version == 1


def test_it_waits_for_the_vote_that_could_strike_it(announced: Amendment, clock: Clock) -> None:
    """Its worker may be late. A vote that closes later than the date strikes nothing, and nothing waits for it."""
    early, late = (
        OpenProposalFactory.create(campaign=announced.campaign, closes_at=closes_at, strikes={2: announced})
        for closes_at in (announced.takes_force_at, announced.takes_force_at + timedelta(seconds=1))
    )
    clock.move_to(announced.takes_force_at)
    rulechanges.apply_due()
    assert rulebooks.newest(announced.campaign_id).version == 1

    Proposal.objects.filter(pk=early.pk).update(state="counting", counting_at=database_clock.now())
    rulechanges.apply_due()
    assert rulebooks.newest(announced.campaign_id).version == 1

    Proposal.objects.filter(pk=early.pk).update(state="cancelled", cancelled_at=database_clock.now())
    rulechanges.apply_due()
    assert rulebooks.newest(announced.campaign_id).version == 2
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


def test_an_announcement_that_the_deadline_has_overtaken_never_takes_force(clock: Clock) -> None:
    """The draft was given an earlier deadline since, and somebody is late with the freeze."""
    draft = make.DraftSeasonFactory.create()
    announced = announce(draft, wilds_fill=True)
    Campaign.objects.filter(pk=draft.pk).update(closes_at=announced.takes_force_at - timedelta(hours=1))
    pool = pools.create(campaign_id=draft.pk, amount_fen=100)
    pools.fund(pool_id=pool.pk, amount_fen=100, business_key=f"fund:{draft.slug}")
    openings.open(campaign_id=draft.pk)

    clock.move_to(announced.takes_force_at)
    rulechanges.apply_due()
    assert rulebooks.newest(draft.pk).version == 1
    announced.refresh_from_db()
    assert announced.impossible == {"text": "the deadline comes before its date", "values": {}, "path": ""}


def test_an_announcement_that_has_become_impossible_is_noted(clock: Clock) -> None:
    season = make.SeasonFactory.create(announced=[(timedelta(days=2), {"extension_min": 10})])
    by_vote(season, patch={"extension_min": 11})
    announced = season.amendments.get()
    clock.move_to(announced.takes_force_at)
    rulechanges.apply_due()
    rulechanges.apply_due()
    announced.refresh_from_db()

    assert announced.impossible["path"] == "/extension_min"
    assert (announced.applied_at, rulebooks.newest(season.pk).version, told(season)) == (None, 2, [])
    assert audited(season) == ["rules.announced", "rules.announcement_impossible"]


def test_a_draft_changes_by_no_announcement(clock: Clock) -> None:
    draft = make.DraftSeasonFactory.create()
    announced = announce(draft, wilds_fill=True)
    clock.move_to(announced.takes_force_at)
    rulechanges.apply_due()

    assert rulebooks.newest(draft.pk).version == 1


def test_one_campaign_that_fails_holds_up_no_other(announced: Amendment, clock: Clock) -> None:
    broken = make.SeasonFactory.create(announced=[(timedelta(days=1), {"wilds_fill": True})])
    # What no action does: rules that don't parse.
    with transaction.atomic():
        Rulebook.objects.create(campaign=broken, version=2, rules={}, reason="staff")
    clock.move_to(announced.takes_force_at)
    with pytest.raises(ValueError, match="weights"):
        rulechanges.apply_due()

    assert rulebooks.newest(announced.campaign_id).version == 2


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
    frozen_at = Campaign.objects.get(pk=season.pk).frozen_at
    assert frozen_at is not None
    assert rulebooks.newest(season.pk).in_force_at < frozen_at
    assert Settlement.objects.get(pool__campaign=season).state == Settlement.State.FREEZE


@pytest.mark.parametrize("ended", [{"impossible": {"text": "for a reason"}}, {"struck": True}])
def test_the_freeze_waits_for_nothing_that_has_ended(announced: Amendment, clock: Clock, ended: dict[str, Any]) -> None:
    if ended.pop("struck", False):
        vote = OpenProposalFactory.create(campaign=announced.campaign, closes_at=announced.campaign.reveal_at)
        ended = {"struck_at": database_clock.now(), "struck_by": vote}
    Amendment.objects.filter(pk=announced.pk).update(**ended)
    clock.move_to(announced.campaign.closes_at)

    assert campaigns.freeze(campaign_id=announced.campaign_id)
