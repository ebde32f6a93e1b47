"""Steals under races on real PostgreSQL, each guard with a control that shows what happens without it."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, OperationalError

from accounts.models import Player
from cards import answers, catalogue, draws, errors, playing
from cards.models import Play, Transfer
from fortunes import errors as ground
from fortunes import sql
from fortunes.actions import campaigns
from fortunes.models import Campaign
from tests.concurrency.robbing import cards_of, friends_of, season_with
from tests.concurrency.together import together
from tests.concurrency.variants import erase, meeting, without
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.committed

NO_LOCK = " FOR NO KEY UPDATE"


@pytest.fixture
def season() -> Campaign:
    return season_with()


@pytest.fixture
def alice() -> Player:
    return PlayerFactory.create()


def thieves_of(season: Campaign, player: Player, number: int) -> list[Player]:
    thieves = friends_of(player, number)
    for thief in thieves:
        make.deal(season, thief, "steal")
    return thieves


def kinds_of(outcomes: list[Any]) -> Counter[Any]:
    return Counter(type(outcome) for outcome in outcomes)


@pytest.mark.parametrize(
    ("limits", "refusal"),
    [({}, errors.FriendLacksCard), ({"protection_h": 1}, errors.PlayerProtected)],
    ids=["the last one", "protection"],
)
def test_20_thieves_of_one_card(alice: Player, limits: dict[str, Any], refusal: type[Exception]) -> None:
    season = season_with(**limits)
    make.deal(season, alice, "harmony", *["harmony"] * (len(limits) * 19))
    thieves = thieves_of(season, alice, 20)
    outcomes = together(*(partial(play.steal, season, thief, alice, "harmony") for thief in thieves))

    assert kinds_of(outcomes) == {answers.PlayReceipt: 1, refusal: 19}
    assert Transfer.objects.filter(giver=alice).count() == 1
    # Who was refused still has the steal card.
    assert cards_of(season)["steal"] == 19


def test_control_without_the_lock_one_card_is_stolen_many_times(
    season: Campaign, alice: Player, owner_connection: psycopg.Connection
) -> None:
    make.deal(season, alice, "harmony")
    thieves = thieves_of(season, alice, 8)
    with (
        meeting(owner_connection, 8) as meet,
        without(
            owner_connection, "cards", "lock_hand", cut=NO_LOCK, more={"RETURN hand;": f"PERFORM {meet}; RETURN hand;"}
        ),
    ):
        outcomes = together(*(partial(play.steal, season, thief, alice, "harmony") for thief in thieves))
    stolen = Transfer.objects.filter(giver=alice).count()
    erase(season, owner_connection)

    assert stolen == kinds_of(outcomes)[answers.PlayReceipt] > 1


def steal_and_give(season: Campaign, holder: Player) -> list[Any]:
    """What comes of a steal and a gift of the holder's one card, made at once."""
    thief, friend = thieves_of(season, holder, 2)
    return together(
        partial(play.steal, season, thief, holder, "harmony"), partial(make.give, season, holder, friend, ["harmony"])
    )


def test_a_steal_and_a_gift_of_the_same_last_card(season: Campaign) -> None:
    for _ in range(10):
        holder = PlayerFactory.create()
        make.deal(season, holder, "harmony")
        stolen, given = steal_and_give(season, holder)

        assert (type(stolen), type(given)) in (
            (answers.PlayReceipt, errors.CardNotHeld),
            (errors.FriendLacksCard, answers.TradeReceipt),
        )
        assert make.held(season, holder) == {}
        assert Transfer.objects.filter(giver=holder).count() == 1


def test_control_without_the_lock_the_last_card_is_stolen_and_given(
    season: Campaign, alice: Player, owner_connection: psycopg.Connection
) -> None:
    make.deal(season, alice, "harmony")
    with (
        meeting(owner_connection, 2) as meet,
        without(
            owner_connection, "cards", "lock_hand", cut=NO_LOCK, more={"RETURN hand;": f"PERFORM {meet}; RETURN hand;"}
        ),
    ):
        outcomes = steal_and_give(season, alice)
    left = Transfer.objects.filter(giver=alice).count()
    erase(season, owner_connection)

    assert kinds_of(outcomes) == {answers.PlayReceipt: 1, answers.TradeReceipt: 1}
    assert left == 2


def test_crossing_steals_between_two_players(season: Campaign, alice: Player) -> None:
    (bob,) = friends_of(alice, 1)
    for player in (alice, bob):
        make.deal(season, player, *["steal"] * 16, *["harmony", "dedication"] * 6)
    pairs = [(alice, bob, "harmony"), (bob, alice, None)] * 16
    outcomes = together(*(partial(play.steal, season, *pair) for pair in pairs))

    done = kinds_of(outcomes)
    assert done[answers.PlayReceipt] > 0
    assert set(done) <= {answers.PlayReceipt, errors.FriendLacksCard, errors.NoDoubles, ground.Busy}
    left = cards_of(season)
    assert (left["harmony"], left["dedication"]) == (12, 12)
    assert left["steal"] == 32 - done[answers.PlayReceipt]


def test_control_crossing_steals_deadlock_without_the_order_of_locks(
    season: Campaign, alice: Player, owner_connection: psycopg.Connection
) -> None:
    (bob,) = friends_of(alice, 1)
    for player in (alice, bob):
        make.deal(season, player, "steal", "harmony")
    second = "        second := cards_lock_hand(the_campaign, other);\n    ELSE\n"
    with (
        meeting(owner_connection, 2) as meet,
        # The thief first, the victim second: they meet between the two locks.
        without(
            owner_connection, "cards", "lock_pair", cut="    IF one < other THEN\n", put="    IF true THEN\n",
            more={second: f"        PERFORM {meet};\n{second}"},
        ),
    ):  # fmt: skip
        outcomes = together(
            partial(play.steal, season, alice, bob, "harmony"), partial(play.steal, season, bob, alice, "harmony")
        )

    failed = {
        getattr(outcome.__cause__, "sqlstate", None) for outcome in outcomes if isinstance(outcome, OperationalError)
    }
    assert failed & {"40P01", "55P03"}
    assert cards_of(season)["harmony"] == 2


def rob_everybody(season: Campaign, thief: Player, number: int) -> list[Any]:
    """What comes of so many steals of one thief from as many friends, made at once."""
    victims = friends_of(thief, number)
    for victim in victims:
        make.deal(season, victim, "harmony")
    make.deal(season, thief, *["steal"] * number)
    return together(*(partial(play.steal, season, thief, victim, "harmony") for victim in victims))


def test_of_20_steals_at_once_a_day_has_its_three(alice: Player) -> None:
    season = season_with(per_day=3)
    outcomes = rob_everybody(season, alice, 20)

    assert kinds_of(outcomes) == {answers.PlayReceipt: 3, errors.StealLimitReached: 17}
    assert make.held(season, alice) == {"harmony": 3, "steal": 17}


def test_of_20_steals_at_once_a_pair_has_its_one(alice: Player) -> None:
    season = season_with(per_pair_per_day=1)
    (bob,) = friends_of(alice, 1)
    make.deal(season, bob, *["harmony"] * 20)
    make.deal(season, alice, *["steal"] * 20)
    outcomes = together(*[partial(play.steal, season, alice, bob, "harmony")] * 20)

    assert kinds_of(outcomes) == {answers.PlayReceipt: 1, errors.StealLimitReached: 19}


def test_control_without_the_lock_on_the_thiefs_hand_a_day_has_more(
    alice: Player, owner_connection: psycopg.Connection
) -> None:
    season = season_with(per_day=3)
    counted = "    number := done.ever + 1;\n"
    with (
        meeting(owner_connection, 8) as meet,
        without(owner_connection, "cards", "lock_hand", cut=NO_LOCK),
        without(owner_connection, "cards", "judge_steal", cut=counted, put=f"    PERFORM {meet};\n{counted}"),
    ):
        outcomes = rob_everybody(season, alice, 8)
    erase(season, owner_connection)

    assert kinds_of(outcomes)[answers.PlayReceipt] > 3


def test_one_steal_sent_20_times_at_once_is_one_steal(season: Campaign, alice: Player) -> None:
    (bob,) = friends_of(alice, 1)
    make.deal(season, bob, *["harmony"] * 20)
    make.deal(season, alice, *["steal"] * 20)
    outcomes = together(*[partial(play.steal, season, alice, bob, key="k1")] * 20)

    assert len({outcome.play.id for outcome in outcomes}) == 1
    assert make.held(season, alice) == {"harmony": 1, "steal": 19}


def test_control_without_the_look_at_its_key_a_repeated_steal_runs_into_the_constraint(
    season: Campaign, alice: Player, owner_connection: psycopg.Connection
) -> None:
    (bob,) = friends_of(alice, 1)
    make.deal(season, bob, *["harmony"] * 4)
    make.deal(season, alice, *["steal"] * 4)
    known = "k.key = the_key;"
    with without(owner_connection, "cards", "first_answer", cut=known, put="false;"):
        outcomes = together(*[partial(play.steal, season, alice, bob, "harmony", key="k1")] * 4)

    assert kinds_of(outcomes) == {answers.PlayReceipt: 1, IntegrityError: 3}


def test_each_steal_at_random_has_a_roll_of_its_own(season: Campaign, alice: Player) -> None:
    """Of steals made at once only one may use a number, and so a roll; the others look again."""
    (bob,) = friends_of(alice, 1)
    make.deal(season, bob, *["harmony", "dedication", "patriotism"] * 10)
    make.deal(season, alice, *["steal"] * 12)
    outcomes = together(*[partial(play.steal, season, alice, bob)] * 12)

    assert set(kinds_of(outcomes)) <= {answers.PlayReceipt, ground.Busy}
    rows = Play.objects.filter(player=alice).order_by("number")
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    for row in rows:
        assert row.number
        assert row.among
        key = draws.steal_key(campaign_id=season.pk, number=row.number)
        rolled = draws.roll(campaigns.draw_secret(season), key, alice.pk)
        assert row.among[draws.choose([1] * len(row.among), rolled[0:8])] == row.kind


def test_control_without_the_look_at_its_number_a_steal_uses_the_roll_of_another(
    season: Campaign, alice: Player, owner_connection: psycopg.Connection
) -> None:
    (bob,) = friends_of(alice, 1)
    make.deal(season, bob, *["harmony"] * 9)
    make.deal(season, alice, *["steal"] * 2)
    move = playing.Move(type=Play.Type.STEAL, campaign=season, by=alice, kind=None, friend=bob.public_id)
    first, second = (
        playing.params(make.asked(alice, "steals", None), move, catalogue.of(season.pk), None) for _ in range(2)
    )
    assert (first["number"], first["roll"]) == (second["number"], second["roll"])
    with without(
        owner_connection, "cards", "judge_steal", cut="the_number IS DISTINCT FROM number THEN", put="false THEN"
    ):
        said = [sql.fetch(sql.text("cards", "play"), given)[0].status for given in (first, second)]

    assert said == ["played", "played"]
