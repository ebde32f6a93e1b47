"""Staff change the rules of a draft, or announce a change of them, while it is opened."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from cards.actions import stock
from cards.models import StockTranche
from fortunes import errors, rulebooks
from fortunes.actions import rulechanges
from fortunes.models import Amendment, Campaign, Rulebook
from redpackets.actions import openings, pools
from tests.concurrency.together import PATIENCE_S, patiently, together, until, until_somebody_waits
from tests.factories import cards as make

pytestmark = pytest.mark.committed


def funded_draft() -> Campaign:
    draft: Campaign = make.DraftSeasonFactory.create()
    pool = pools.create(campaign_id=draft.pk, amount_fen=100)
    pools.fund(pool_id=pool.pk, amount_fen=100, business_key=f"fund:{draft.slug}")
    return draft


def redraft(draft: Campaign) -> Rulebook:
    patch = {"caps": {"dedication": {"units": 200_000}}}
    return rulechanges.change_by_staff(campaign_id=draft.pk, patch=patch, by=None)


def announce(draft: Campaign) -> Amendment:
    return rulechanges.announce(
        campaign_id=draft.pk, name_zh="变", name_en="A change", changes={"wilds_fill": True},
        takes_force_at=draft.opens_at + timedelta(days=1), by=None,
    )  # fmt: skip


def while_it_is_opened(act: Callable[[Campaign], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """What comes of an act of staff on a draft that begins while its opening, which has judged it, isn't committed."""
    draft, plan, planned = funded_draft(), stock.plan, threading.Event()

    def plan_slowly(**given: Any) -> int:
        rows = plan(**given)
        planned.set()
        until_somebody_waits()
        return rows

    monkeypatch.setattr(stock, "plan", plan_slowly)

    def staff() -> Any:
        planned.wait(PATIENCE_S)
        return patiently(partial(act, draft))

    opened, outcome = together(partial(openings.open, campaign_id=draft.pk), staff)
    assert opened.opened_at is not None
    return outcome


@pytest.mark.parametrize("act", [redraft, announce])
def test_what_only_a_draft_allows_waits_for_the_opening(
    act: Callable[[Campaign], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert type(while_it_is_opened(act, monkeypatch)) is errors.RuleNeedsVote


def opened_while_staff_act(
    act: Callable[[Campaign], Any], monkeypatch: pytest.MonkeyPatch, *, meanwhile: Callable[[Campaign], object]
) -> Campaign:
    """A campaign whose opening begins while staff have looked at the draft, and not done yet what they want to."""
    draft, looked = funded_draft(), threading.Event()
    laid_over = rulechanges._laid_over

    def look(*given: Any) -> Any:
        after = laid_over(*given)
        if not looked.is_set():
            looked.set()
            meanwhile(draft)
        return after

    monkeypatch.setattr(rulechanges, "_laid_over", look)

    def opening() -> Campaign:
        looked.wait(PATIENCE_S)
        return openings.open(campaign_id=draft.pk)

    done, opened = together(partial(act, draft), opening)
    assert type(done) in (Rulebook, Amendment)
    return opened


def follows_from_its_rules(season: Campaign) -> bool:
    """The stock was planned by the rules in force, and what is announced was announced before the opening."""
    planned = sum(StockTranche.objects.filter(campaign=season).values_list("units", flat=True))
    late = season.amendments.filter(announced_at__gt=season.opened_at)
    return planned == rulebooks.current(season.pk).caps["dedication"].units and not late.exists()


@pytest.mark.parametrize("act", [redraft, announce])
def test_the_opening_waits_for_what_staff_do_with_the_draft(
    act: Callable[[Campaign], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = opened_while_staff_act(act, monkeypatch, meanwhile=lambda _: until_somebody_waits())

    assert follows_from_its_rules(opened)


@pytest.mark.parametrize("act", [redraft, announce])
def test_control_without_the_lock_it_is_done_to_an_opened_season(
    act: Callable[[Campaign], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rulechanges, "_locked", lambda campaign_id: Campaign.objects.get(pk=campaign_id))

    def until_it_is_open(draft: Campaign) -> None:
        until(Campaign.objects.filter(pk=draft.pk, opened_at__isnull=False).exists)

    assert not follows_from_its_rules(opened_while_staff_act(act, monkeypatch, meanwhile=until_it_is_open))
