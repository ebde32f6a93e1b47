"""Presets: the season of 2017, whose steal card is announced and put to the vote."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cards import catalogue
from cards.actions import presets
from cards.models import CardKind
from fortunes import clock as database_clock
from fortunes import errors, rulebooks
from fortunes.actions import rulechanges
from fortunes.models import AuditEntry, Campaign, Proposal
from redpackets.actions import motions, openings, pools
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

LENGTH = timedelta(days=12)


def season_of_2017(*, begun: timedelta = timedelta(minutes=1), **rulebook: Any) -> Campaign:
    opens_at = database_clock.now() - begun
    return presets.five_fortunes_2017(
        slug="of-2017", opens_at=opens_at, closes_at=opens_at + LENGTH, reveal_at=opens_at + LENGTH,
        rulebook=rulebook,
    )  # fmt: skip


def opened(draft: Campaign) -> Campaign:
    pool = pools.create(campaign_id=draft.pk, amount_fen=100)
    pools.fund(pool_id=pool.pk, amount_fen=100, business_key=f"fund:{draft.slug}")
    return openings.open(campaign_id=draft.pk)


def test_the_steal_card_is_announced_and_put_to_the_vote() -> None:
    season = season_of_2017()
    rules, (announced,) = rulebooks.current(season.pk), season.amendments.all()
    vote = Proposal.objects.get(campaign=season)

    assert (rules.weights["steal"], rules.specials) == (0, ("wild",))
    assert catalogue.read(season.pk).roles[-2:] == (CardKind.Role.WILD, CardKind.Role.STEAL)
    assert announced.changes == {"weights": {"steal": 5}, "specials": ["wild", "steal"]}
    assert announced.takes_force_at == season.opens_at + LENGTH / 2
    assert (vote.state, vote.drafted_by) == ("draft", None)
    assert season.opens_at < vote.opens_at < vote.closes_at < announced.takes_force_at
    assert [option.strikes for option in vote.options.order_by("number")] == [None, announced]
    (drafted,) = AuditEntry.objects.filter(action="campaign.drafted", subject_id=season.pk)
    assert drafted.data == {"preset": "five_fortunes_2017"}


def test_it_is_opened_like_any_other_and_so_is_its_vote(clock: Clock) -> None:
    season = opened(season_of_2017())
    vote = motions.open_(proposal_id=Proposal.objects.get(campaign=season).pk, by=None)

    assert vote.state == "open"


def test_unless_it_is_struck_stealing_begins_in_the_middle(clock: Clock) -> None:
    season = opened(season_of_2017())
    clock.move_to(season.opens_at + LENGTH / 2)
    rulechanges.apply_due()

    rules = rulebooks.current(season.pk)
    assert (rules.weights["steal"], rules.specials) == (5, ("wild", "steal"))


def test_its_rules_may_be_others() -> None:
    weights = dict.fromkeys((slug for slug, *_ in presets.FIVE_FORTUNES), 7)
    season = season_of_2017(weights=weights | {"steal": 3, "copy": 1}, specials=["steal", "copy"])

    assert rulebooks.current(season.pk).weights == weights | {"steal": 0, "copy": 1}
    assert season.amendments.get().changes == {"weights": {"steal": 3}, "specials": ["copy", "steal"]}


def test_nothing_is_left_of_one_whose_middle_has_passed() -> None:
    with pytest.raises(errors.RuleChangeImpossible):
        season_of_2017(begun=LENGTH * 2 / 3)
    assert not Campaign.objects.filter(slug="of-2017").exists()
