"""Each invariant of votes finds the violation that is planted for it, and nothing in what the actions do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from fortunes import invariants, sql
from fortunes.models import Amendment, Campaign, Option, Proposal, Rulebook
from tests.factories.cards import SeasonFactory
from tests.plugins.clock import Clock
from tests.votes.motions import KEEP, ONE_MORE, again, change, close, opened, voted

pytestmark = pytest.mark.django_db

STEALS = {"specials": ["wild", "copy", "steal"]}


@dataclass(frozen=True)
class Votes:
    """One vote that was adopted, one that wasn't, one that struck an announced change, and one that is open."""

    adopted: Proposal
    refused: Proposal
    striking: Proposal
    running: Proposal
    amendment: Amendment


def broken() -> set[str]:
    """The names of the invariants that don't hold, asked within the test's own transaction."""
    return {known.name.removeprefix("fortunes/") for known in invariants.every() if sql.fetch(known.query)}


@pytest.fixture
def votes(clock: Clock) -> Votes:
    season: Campaign = SeasonFactory.create(specials=True, announced=[(timedelta(days=1), STEALS)])
    amendment = Amendment.objects.get(campaign=season)
    adopted = opened(season)
    refused = opened(season, KEEP, change({"trading": {"cooling_h": 1}}))
    striking = opened(season, KEEP, change({}, strikes=amendment.pk))
    voted(adopted, 1, 2, 2)
    voted(refused, 1, 2)
    voted(striking, 2)
    close(clock, adopted, refused, striking)
    running = opened(season, KEEP, change({"trading": {"open_links": 11}}))
    voted(running, 1)
    return Votes(again(adopted), again(refused), again(striking), running, amendment)


def _update(name: str, **changes: object) -> Callable[[Votes], object]:
    return lambda votes: Proposal.objects.filter(pk=getattr(votes, name).pk).update(**changes)


def _option(name: str, **changes: object) -> Callable[[Votes], object]:
    return lambda votes: Option.objects.filter(proposal=getattr(votes, name), number=2).update(**changes)


def _book(votes: Votes, **given: object) -> None:
    former = Rulebook.objects.filter(campaign=votes.running.campaign).latest("version")
    fields = {"campaign": former.campaign, "version": former.version + 1, "rules": former.rules, "reason": "vote"}
    Rulebook.objects.create(**fields | given)


def _frozen(name: str, later: timedelta) -> Callable[[Votes], object]:
    """The deadline was, and the freeze, so much later than that vote's close."""

    def plant(votes: Votes) -> None:
        at = getattr(votes, name).closes_at + later
        Campaign.objects.filter(pk=votes.running.campaign_id).update(closes_at=at, frozen_at=at)

    return plant


PLANTED: list[tuple[str, Callable[[Votes], object]]] = [
    ("votes_are_decided", _update("refused", outcome="adopted", winner=1)),
    ("votes_are_decided", _update("refused", outcome="impossible")),
    ("votes_are_decided", _update("adopted", winner=1)),
    ("votes_are_decided", _update("adopted", winner=None)),
    ("votes_are_decided", _update("adopted", quorum=4)),
    ("votes_are_decided", _update("adopted", threshold_bp=6700)),
    ("votes_are_decided", _option("adopted", ballots=1)),
    ("votes_do_what_they_decided", _update("adopted", outcome="impossible", winner=None)),
    ("votes_do_what_they_decided", _option("adopted", changes={})),
    ("votes_do_what_they_decided", _option("striking", changes=ONE_MORE)),
    ("votes_do_what_they_decided", _option("striking", strikes=None)),
    ("votes_do_what_they_decided", lambda votes: _book(votes, proposal=votes.adopted)),
    ("votes_do_what_they_decided", lambda votes: _book(votes, proposal=votes.refused)),
    ("votes_do_what_they_decided", lambda votes: _book(votes, proposal=votes.running)),
    ("votes_do_what_they_decided", lambda votes: _book(votes)),
    ("votes_precede_the_freeze", _frozen("running", timedelta())),
    ("votes_precede_the_freeze", _frozen("adopted", -timedelta(minutes=9))),
]


@pytest.mark.usefixtures("rewritable")
@pytest.mark.parametrize(("name", "plant"), PLANTED, ids=[f"{i}-{name}" for i, (name, _) in enumerate(PLANTED)])
def test_a_planted_violation_is_found(votes: Votes, name: str, plant: Callable[[Votes], object]) -> None:
    assert broken() == set()
    plant(votes)
    assert name in broken()
