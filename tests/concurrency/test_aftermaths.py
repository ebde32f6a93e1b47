"""What follows from a version of the rules, under many workers, beside whoever plays on, and killed anywhere."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import Player
from cards import asking, catalogue, draws
from cards.actions import aftermaths
from cards.models import Aftermath, Conversion, Hand, Trade
from fortunes import rulebooks, sql
from fortunes.actions import campaigns
from fortunes.models import Campaign, Event
from redpackets.actions import stages
from redpackets.models import Settlement
from tests.concurrency.killing import killed_at
from tests.concurrency.together import PATIENCE_S, patiently, together, until, until_somebody_waits
from tests.concurrency.variants import erase, holding, meeting, without
from tests.factories import aftermaths as rules
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.committed

WORKERS = 4
GATE = "    PERFORM fortunes_gate_lock(work.campaign_id);\n"
HANDS = "      ORDER BY h.player_id\n        FOR NO KEY UPDATE;\n"
NO_CLAIM = {"       FOR NO KEY UPDATE SKIP LOCKED;\n": "     ;\n"}
NO_LOOK = {"                        WHERE h.counts[i.kind + 1] <> i.held\n": "                        WHERE false\n"}
ONCE = "        ON CONFLICT (aftermath_id, kind, player_id) DO NOTHING\n"
STILL_OPEN = "         WHERE t.id = ANY (due) AND t.state = 'open'\n"
ANY_STATE = "         WHERE t.id = ANY (due)\n"
CANCELLED = "    UPDATE cards_trade t SET state = the_state, closed_at = gate.at WHERE t.id = the_trade;\n"
# Where a chunk is written, and not committed.
CONVERTED = "    PERFORM cards_move_on(the_aftermath, the_upto, the_next);\n"
DATED = "    PERFORM cards_move_on(the_aftermath, span.upto, CASE WHEN span.is_last THEN the_next END);\n"


@pytest.fixture
def season() -> Campaign:
    return rules.season_with_steals()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of two players, and of two trades."""
    monkeypatch.setattr(aftermaths, "MOST_HOLDERS", 2)
    monkeypatch.setattr(aftermaths, "MOST_HANDS", 3)
    monkeypatch.setattr(aftermaths, "MOST_TRADES", 2)


def circle(season: Campaign, number: int) -> list[Player]:
    """Friends who hold one to three steal cards, one of them in escrow, and ask each other for more."""
    players: list[Player] = PlayerFactory.create_batch(number)
    for place, player in enumerate(players):
        play.befriend(player, players[place - 1])
        make.deal(season, player, *["steal"] * (1 + place % 3), "patriotism", "prosperity", "harmony", "friendliness")
        play.link_gift(season, player, "steal")
        play.request(season, player, "steal", to=[players[place - 1]])
    return players


def finish(season: Campaign) -> None:
    """As the workers do: come again until it is done."""
    until(lambda: patiently(partial(aftermaths.step, campaign_id=season.pk)) is False and is_done(season))


def is_done(season: Campaign) -> bool:
    return not aftermaths.unfinished(campaign_id=season.pk)


def outcome(season: Campaign) -> list[Any]:
    """What became of whom: all that may not depend on who did it, when and how often."""
    rows = Conversion.objects.filter(campaign=season).order_by("player", "kind")
    return list(rows.values_list("player", "kind", "cards", "into", "fen"))


def assert_whole(season: Campaign, players: list[Player]) -> None:
    """Each card was converted once, each trade voided once, and everybody heard of it once.

    The session ends with a check of the invariants, which say the rest.
    """
    assert [cards for _, _, cards, _, _ in outcome(season)] == [1 + place % 3 for place in range(len(players))]
    assert set(Trade.objects.filter(campaign=season).values_list("state", flat=True)) == {"voided"}
    steal = catalogue.of(season.pk).kinds.index("steal")
    assert not [hand for hand in Hand.objects.filter(campaign=season) if hand.counts[steal] or any(hand.escrow)]
    heard = Event.objects.filter(campaign=season, type="card.converted")
    assert heard.count() == heard.values("player").distinct().count() == len(players)


# --- workers


@pytest.mark.parametrize("promised", [rules.INTO_WILD, rules.INTO_FORTUNE, rules.INTO_FEN])
def test_many_workers_at_once(season: Campaign, small: None, promised: dict[str, Any]) -> None:
    players = circle(season, 9)
    rules.remove(season, "steal", promising=promised, wilds_fill=True)
    assert together(*[partial(finish, season)] * WORKERS) == [None] * WORKERS

    assert_whole(season, players)
    assert list(Aftermath.objects.filter(campaign=season).values_list("state", flat=True)) == ["done"]


def convert_at_once(
    season: Campaign, owner: psycopg.Connection, alice: Player, cut: Mapping[str, str] | None = None
) -> Any:
    """What two workers come to who have looked at the same chunk. With cuts both are in it, and then judge."""
    make.deal(season, alice, "steal", "steal")
    rules.remove(season, "steal", promising=rules.INTO_WILD)
    work(season, until_state="convert")
    said, looked, fetch = [], threading.Barrier(2), sql.fetch_alone

    def fetch_together(statement: str, params: Any) -> Any:
        looked.wait(PATIENCE_S)
        rows = fetch(statement, params)
        said.append(rows[0].status)
        return rows

    with ExitStack() as stack:
        if cut:
            met = stack.enter_context(meeting(owner, 2))
            stack.enter_context(
                without(owner, "cards", "convert", cut=GATE, put=f"{GATE}    PERFORM {met};\n", more=cut)
            )
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(sql, "fetch_alone", fetch_together)
        failed = together(*[partial(aftermaths.step, campaign_id=season.pk)] * 2)
    return sorted(said), [type(one) for one in failed if isinstance(one, BaseException)]


def work(season: Campaign, *, until_state: str) -> None:
    """One worker, up to that step."""
    while not Aftermath.objects.filter(campaign=season, state=until_state).exists():
        assert aftermaths.step(campaign_id=season.pk)


def test_a_chunk_is_done_by_one_worker(season: Campaign, owner_connection: psycopg.Connection) -> None:
    alice = PlayerFactory.create()
    assert convert_at_once(season, owner_connection, alice) == (["busy", "moved"], [])
    assert make.held(season, alice) == {"wild": 2}


def test_control_without_the_claim_the_second_finds_the_hand_changed(
    season: Campaign, owner_connection: psycopg.Connection
) -> None:
    alice = PlayerFactory.create()
    assert convert_at_once(season, owner_connection, alice, NO_CLAIM) == (["changed", "moved"], [])
    assert make.held(season, alice) == {"wild": 2}


def test_control_without_that_only_the_one_conversion_of_a_player_and_kind_is_left(
    season: Campaign, owner_connection: psycopg.Connection
) -> None:
    alice = PlayerFactory.create()
    assert convert_at_once(season, owner_connection, alice, NO_CLAIM | NO_LOOK) == (["moved", "moved"], [])
    assert make.held(season, alice) == {"wild": 2}


def test_control_and_that_is_a_constraint(season: Campaign, owner_connection: psycopg.Connection) -> None:
    alice, cuts = PlayerFactory.create(), NO_CLAIM | NO_LOOK | {ONCE: ""}
    assert convert_at_once(season, owner_connection, alice, cuts) == (["moved"], [IntegrityError])
    assert make.held(season, alice) == {"wild": 2}


# --- players who play on


def cancel_while_it_is_voided(season: Campaign, owner: psycopg.Connection, alice: Player) -> tuple[Any, Any]:
    """What comes of a cancellation that has judged the trade, and of a worker who wants to void it then."""
    make.deal(season, alice, "steal")
    link = play.link_gift(season, alice, "steal").trade.id
    rules.remove(season, "steal")
    work(season, until_state="void")
    with (
        holding(owner) as (hold, is_held, _),
        without(owner, "cards", "cancel", cut=CANCELLED, put=f"    PERFORM {hold};\n{CANCELLED}"),
    ):

        def void() -> Any:
            until(is_held)
            return patiently(partial(aftermaths.step, campaign_id=season.pk))

        return tuple(together(lambda: play.cancel(link, alice), void))


def test_a_trade_that_is_being_cancelled_is_not_voided_as_well(
    season: Campaign, owner_connection: psycopg.Connection
) -> None:
    alice = PlayerFactory.create()
    cancelled, voided = cancel_while_it_is_voided(season, owner_connection, alice)
    assert (cancelled.trade.state, voided) == ("cancelled", True)
    assert list(Trade.objects.filter(campaign=season).values_list("state", flat=True)) == ["cancelled"]
    assert make.held(season, alice) == {"steal": 1}


def test_control_without_a_second_look_what_is_in_escrow_returns_twice(
    season: Campaign, owner_connection: psycopg.Connection
) -> None:
    alice = PlayerFactory.create()
    with without(owner_connection, "cards", "void", cut=STILL_OPEN, put=ANY_STATE):
        _, voided = cancel_while_it_is_voided(season, owner_connection, alice)
    # A hand with less than nothing in escrow is what the constraint refuses.
    assert type(voided) is IntegrityError


def give_while_it_is_converted(season: Campaign, alice: Player, bob: Player) -> None:
    """Bob's gift to Alice has committed after a worker looked at her hand, and before the worker writes it."""
    play.befriend(alice, bob)
    make.deal(season, alice, "steal")
    make.deal(season, bob, "harmony")
    rules.remove(season, "steal", promising=rules.INTO_WILD)
    work(season, until_state="convert")
    harmony = catalogue.of(season.pk).ordinals(["harmony"])
    rulebooks.forget(season.pk)
    given = asking.gift(make.asked(bob, "trades", {}), season.pk, bob, alice.public_id, harmony)
    passed = threading.Event()

    def give() -> None:
        with transaction.atomic():
            assert sql.fetch(sql.text("cards", "give"), given)[0].status == "given"
            passed.set()
            until_somebody_waits()

    def convert() -> bool:
        passed.wait(PATIENCE_S)
        return aftermaths.step(campaign_id=season.pk)

    assert together(give, convert) == [None, True]


def test_a_gift_that_comes_while_a_hand_is_converted_is_kept(season: Campaign) -> None:
    alice, bob = PlayerFactory.create_batch(2)
    give_while_it_is_converted(season, alice, bob)
    assert make.held(season, alice) == {"harmony": 1, "wild": 1}


def test_control_without_the_locks_on_hands_the_gift_is_lost(
    season: Campaign, owner_connection: psycopg.Connection
) -> None:
    alice, bob = PlayerFactory.create_batch(2)
    with without(owner_connection, "cards", "convert", cut=HANDS, put=";\n"):
        give_while_it_is_converted(season, alice, bob)
    assert make.held(season, alice) == {"wild": 1}
    erase(season, owner_connection)


# --- the freeze


def test_the_freeze_waits_until_the_promise_is_kept(season: Campaign, clock: Clock) -> None:
    alice = PlayerFactory.create()
    make.deal(season, alice, "steal")
    rules.remove(season, "steal", promising=rules.INTO_WILD)
    run = Settlement.objects.get(pool__campaign=season)
    clock.move_to(season.closes_at + timedelta(seconds=1))
    while aftermaths.unfinished(campaign_id=season.pk):
        assert stages.step(settlement_id=run.pk) is stages.Progress.BUSY
        assert aftermaths.step(campaign_id=season.pk)

    assert stages.step(settlement_id=run.pk) is stages.Progress.MOVED
    season.refresh_from_db()
    assert season.frozen_at and Conversion.objects.get(campaign=season).at < season.frozen_at
    assert make.held(season, alice) == {"wild": 1}
    assert aftermaths.step(campaign_id=season.pk) is False


def test_control_a_freeze_that_does_not_wait_leaves_it_broken(season: Campaign, clock: Clock) -> None:
    alice = PlayerFactory.create()
    make.deal(season, alice, "steal")
    rules.remove(season, "steal", promising=rules.INTO_WILD)
    clock.move_to(season.closes_at + timedelta(seconds=1))
    assert campaigns.freeze(campaign_id=season.pk)
    assert aftermaths.step(campaign_id=season.pk) is False
    assert make.held(season, alice) == {"steal": 1}


# --- death


@pytest.mark.slow
def test_killed_between_any_two_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """For every moment of an aftermath one of its own, killed there and finished by another worker."""
    for moment in count(1):
        season = rules.season_with_steals()
        players = circle(season, 2)
        rules.remove(season, "steal", promising=rules.INTO_FORTUNE, wilds_fill=True)
        with killed_at(monkeypatch, moment) as moments:
            rules.follow(season)
        survived = moments() < moment
        rules.follow(season)
        assert_whole(season, players)
        assert rolled(season), f"killed at moment {moment}"
        if survived:
            assert moment > 20
            return


def rolled(season: Campaign) -> bool:
    """Whatever happened on the way, each card became what its roll says."""
    weights, secret = [25, 25, 23, 22, 5], campaigns.draw_secret(season)
    return all(
        into
        == [draws.choose(weights, draws.roll(secret, card(season, kind, place), player)[:8]) for place in range(cards)]
        for player, kind, cards, into, _ in outcome(season)
    )


def card(season: Campaign, kind: int, place: int) -> bytes:
    return draws.conversion_key(campaign_id=season.pk, version=2, kind=kind, place=place)


# Aftermaths that other tests have left aren't its business.
WORKER = """
import sys
import django
django.setup()
from cards.actions import aftermaths
while aftermaths.step(campaign_id=int(sys.argv[1])):
    pass
"""


TERMINATE = """
SELECT pg_terminate_backend(l.pid) FROM pg_locks l
 WHERE l.locktype = 'advisory' AND l.classid = 5525 AND l.granted AND l.pid <> pg_backend_pid()
   AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "place"), [("void", "    status := 'moved';\n"), ("convert", CONVERTED), ("date_hands", DATED)]
)
def test_a_worker_killed_with_9(
    season: Campaign, owner_connection: psycopg.Connection, function: str, place: str
) -> None:
    """It dies with a whole chunk written and not committed; the next worker does it, and the one after it nothing."""
    players = circle(season, 5)
    rules.remove(season, "steal", promising=rules.INTO_FORTUNE, wilds_fill=True)
    command = [sys.executable, "-c", WORKER, str(season.pk)]
    with (
        holding(owner_connection) as (hold, is_held, release),
        without(owner_connection, "cards", function, cut=place, put=f"    PERFORM {hold};\n{place}"),
    ):
        with subprocess.Popen(command, cwd=settings.BASE_DIR) as worker:
            until(is_held)
            worker.kill()
        # By itself the database finishes what it was told, whoever has died: its end of the connection dies, too.
        sql.fetch(TERMINATE)
        release()
        until(lambda: not sql.fetch(sql.text("cards", "gate_holders")))
    assert worker.returncode == -signal.SIGKILL
    assert not is_done(season)

    for _ in range(2):
        subprocess.run(command, cwd=settings.BASE_DIR, check=True)
        assert_whole(season, players)
        assert rolled(season)
