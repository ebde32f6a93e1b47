"""A change of the rules while friends steal: what has passed the gate is judged by the former ones, nothing else is."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, transaction

from accounts.models import Player
from cards import catalogue, errors, playing
from cards.models import Play
from fortunes import errors as ground
from fortunes import gate, rulebooks, sql
from fortunes.models import Campaign, Rulebook
from tests.concurrency.robbing import cards_of, friends_of, season_with
from tests.concurrency.together import PATIENCE_S, together, until, until_somebody_waits
from tests.concurrency.variants import without
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory
from tests.factories.fortunes import change_rules

pytestmark = pytest.mark.committed

GATE_LOCK = "    PERFORM pg_advisory_xact_lock_shared(5525, the_campaign::integer);\n"


@pytest.fixture
def season() -> Campaign:
    return season_with()


@pytest.fixture
def alice() -> Player:
    return PlayerFactory.create()


def footprint(season: Campaign) -> list[Any]:
    """All that a rule against stealing should hold still."""
    return sorted(Play.objects.filter(campaign=season).values_list("pk", "rulebook_version"))


def forbid(season: Campaign) -> None:
    """Change the rules as whoever counts a vote will: where the gate isn't to be had, again a moment later."""
    while not _forbidden(season):
        time.sleep(0.05)


def _forbidden(season: Campaign) -> bool:
    try:
        change_rules(season, specials=[])
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != "55P03":
            raise
        return False
    return True


def test_steals_that_straddle_a_change_of_the_rules(season: Campaign) -> None:
    """None after it, none half: each steal that was answered was done under the rule that allowed it."""
    circle = PlayerFactory.create_batch(6)
    play.befriend(*circle)
    for player in circle:
        make.deal(season, player, *["steal"] * 40, *["harmony"] * 10)
    refused: list[int] = []
    stop, forbidden = threading.Event(), []

    def robbing(place: int) -> list[Any]:
        outcomes: list[Any] = []
        while not stop.is_set():
            try:
                kind = "harmony" if place % 2 else None
                outcomes.append(play.steal(season, circle[place], circle[place - 1], kind))
            except errors.RuleForbids:
                refused.append(place)
            except (errors.FriendLacksCard, errors.NoDoubles, errors.CardNotHeld, ground.Busy):
                pass
        return outcomes

    def changing() -> list[Any]:
        until(lambda: len(footprint(season)) >= 20)
        forbid(season)
        forbidden.extend(footprint(season))
        # Each of them has been refused before it ends.
        until(lambda: len(set(refused)) == len(circle))
        stop.set()
        return []

    answered = together(*(partial(robbing, place) for place in range(len(circle))), changing)

    assert forbidden == footprint(season)
    assert {version for _, version in forbidden} == {1}
    assert sum(len(receipts) for receipts in answered) == len(forbidden)
    left = cards_of(season)
    assert (left["harmony"], left["steal"]) == (60, 240 - len(forbidden))


def forbid_while_a_steal_is_under_way(season: Campaign, thief: Player, victim: Player) -> tuple[bool, int]:
    """(whether the rules could be changed before the steal had committed, steals that committed after the change)."""
    move = playing.Move(type=Play.Type.STEAL, campaign=season, by=thief, kind="harmony", friend=victim.public_id)
    kinds = catalogue.of(season.pk)
    given = playing.params(make.asked(thief, "steals", None), move, kinds, kinds.kinds.index("harmony"))
    passed, over = threading.Event(), threading.Event()

    def slow_steal() -> None:
        # The steal's own transaction, held open after its last statement as a slow network would.
        with transaction.atomic():
            assert sql.fetch(sql.text("cards", "play"), given)[0].status == "played"
            passed.set()
            over.wait(PATIENCE_S)

    def changer() -> tuple[bool, int]:
        passed.wait(PATIENCE_S)
        try:
            return _forbidden(season), len(footprint(season))
        finally:
            over.set()

    failed, (changed, before) = together(slow_steal, changer)
    assert failed is None
    return changed, len(footprint(season)) - before


def test_a_change_of_the_rules_waits_for_what_passed_the_gate(season: Campaign, alice: Player) -> None:
    (bob,) = friends_of(alice, 1)
    make.deal(season, alice, "steal", "steal")
    make.deal(season, bob, "harmony", "harmony")
    changed, _ = forbid_while_a_steal_is_under_way(season, alice, bob)

    assert changed is False
    forbid(season)
    with pytest.raises(errors.RuleForbids):
        play.steal(season, alice, bob, "harmony")
    assert footprint(season) == [(Play.objects.get(player=alice).pk, 1)]


def test_control_without_the_gate_a_card_is_stolen_after_it_was_forbidden(
    season: Campaign, alice: Player, owner_connection: psycopg.Connection
) -> None:
    (bob,) = friends_of(alice, 1)
    make.deal(season, alice, "steal")
    make.deal(season, bob, "harmony")
    with without(owner_connection, "fortunes", "gate_lock", cut=GATE_LOCK):
        changed, late = forbid_while_a_steal_is_under_way(season, alice, bob)

    assert (changed, late) == (True, 1)


def test_a_steal_that_comes_while_the_rules_are_changed_is_judged_by_the_new_ones(
    season: Campaign, alice: Player
) -> None:
    (bob,) = friends_of(alice, 1)
    make.deal(season, alice, "steal")
    make.deal(season, bob, "harmony")
    entered = threading.Event()

    def changing() -> None:
        rules = rulebooks.in_force(season.pk).rules | {"specials": []}
        with transaction.atomic():
            gate.close(season.pk)
            Rulebook.objects.create(campaign=season, version=2, rules=rules, reason=Rulebook.Reason.STAFF)
            entered.set()
            until_somebody_waits()

    def stealing() -> Any:
        entered.wait(PATIENCE_S)
        return play.steal(season, alice, bob, "harmony")

    changed, refusal = together(changing, stealing)

    assert (changed, type(refusal)) == (None, errors.RuleForbids)
    assert footprint(season) == []
