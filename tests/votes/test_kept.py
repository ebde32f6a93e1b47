"""What was put to the vote, and what was announced, stays as it was: the database itself refuses to change it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from fortunes.models import Amendment, Option
from tests.factories.cards import SeasonFactory
from tests.factories.votes import EndedProposalFactory
from tests.votes.motions import ONE_MORE, drafted, opened

pytestmark = pytest.mark.django_db

REFUSED, NO_RIGHT = "23001", "42501"


def sqlstate(act: Callable[[], object]) -> str:
    """What the database refuses an act with."""
    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        act()
    found: str = refusal.value.__cause__.sqlstate
    return found


@pytest.mark.parametrize("state", ["open", "counting", "closed", "cancelled"])
def test_no_option_is_taken_away_once_the_vote_is_open(state: str) -> None:
    season = SeasonFactory.create()
    vote = opened(season) if state == "open" else EndedProposalFactory.create(campaign=season, state=state)
    assert sqlstate(Option.objects.filter(proposal=vote, number=2).delete) == REFUSED
    assert Option.objects.filter(proposal=vote).count() == 2


def test_a_draft_is_anybody_s_to_write_anew() -> None:
    draft = drafted(SeasonFactory.create())
    Option.objects.filter(proposal=draft, number=2).delete()
    assert Option.objects.filter(proposal=draft).count() == 1


@pytest.mark.parametrize("column", [{"changes": ONE_MORE}, {"number": 3}, {"name_en": "Else"}, {"compensations": {}}])
def test_no_option_is_rewritten(column: dict[str, object]) -> None:
    options = Option.objects.filter(proposal=opened(SeasonFactory.create()), number=2)
    assert sqlstate(lambda: options.update(**column)) == NO_RIGHT
    options.update(ballots=1)


@pytest.mark.parametrize("column", [{"changes": ONE_MORE}, {"takes_force_at": None}, {"name_en": "Else"}])
def test_no_announcement_is_rewritten(column: dict[str, object]) -> None:
    announced = Amendment.objects.filter(campaign=SeasonFactory.create(announced=[(timedelta(days=1), ONE_MORE)]))
    assert sqlstate(lambda: announced.update(**column)) == NO_RIGHT
    announced.update(impossible={"text": "for a reason"})
