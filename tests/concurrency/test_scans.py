"""Scans under races on real PostgreSQL, each guard with a control that shows what happens without it."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, transaction

from accounts.models import Player
from cards import drawing, hands
from cards.actions import scans
from cards.models import Draw, Hand, Stock
from fortunes import clock as database_clock
from fortunes import rulebooks, sql
from fortunes.models import Campaign
from tests.concurrency.together import PATIENCE_S, patiently, together, until_somebody_waits
from tests.concurrency.variants import erase, meeting, newest, without
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.committed

CLAIM = "                   FOR UPDATE SKIP LOCKED) unit\n"
HAND_LOCK = "               FOR NO KEY UPDATE) h;\n"
JUDGED = "= ANY (locked) LIMIT 1"
THREADS = 40


@contextmanager
def meeting_without(
    owner: psycopg.Connection, parties: int, *, cut: str = JUDGED, put: str = "", more: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Scans that meet between what their statement sees and what it takes, so that all of them see the same."""
    with meeting(owner, parties) as meet:
        together_judged = {JUDGED: f"= ANY (locked) AND {meet} LIMIT 1"}
        with without(owner, "cards", "scan", cut=cut, put=put, more={**(more or {}), **together_judged}):
            yield


def counted(outcomes: list[Any]) -> Counter[str]:
    return Counter(type(outcome).__name__ for outcome in outcomes)


def parallel(campaign: Campaign, items: list[scans.Scan], threads: int = THREADS) -> Counter[str]:
    """The outcomes of scans, each a call of its own, `threads` at a time."""

    def some(mine: list[scans.Scan]) -> list[Any]:
        return [scans.redeem(campaign=campaign, scans=[item])[0] for item in mine]

    calls = [partial(some, items[n::threads]) for n in range(threads)]
    return counted([outcome for answered in together(*calls) for outcome in answered])


@pytest.fixture
def small() -> Campaign:
    return make.SeasonFactory.create(rulebook={"quotas": {"code": {"per_day": 3, "per_campaign": 16}}})


@pytest.fixture
def alice() -> Player:
    return PlayerFactory.create()


def test_200_parallel_scans_over_a_quota_of_3(small: Campaign, alice: Player) -> None:
    outcomes = parallel(small, [make.scan(small, alice) for _ in range(200)])

    assert outcomes == {"Redemption": 3, "DailyLimitReached": 197}
    assert sum(Hand.objects.get(player=alice).counts) == 3


def test_control_the_quota_breaks_without_the_lock_on_hands(
    small: Campaign, alice: Player, owner_connection: psycopg.Connection
) -> None:
    make.redeem(small, alice)
    with meeting_without(owner_connection, THREADS, cut=HAND_LOCK, put=") h;\n"):
        outcomes = parallel(small, [make.scan(small, alice) for _ in range(200)])
    drawn = Draw.objects.filter(player=alice).count()
    erase(small, owner_connection)

    assert outcomes["Redemption"] + 1 == drawn > 3


def test_100_parallel_uses_of_one_code(small: Campaign) -> None:
    text = make.code(small)
    players = PlayerFactory.create_batch(100)
    outcomes = parallel(small, [make.scan(small, player, text=text) for player in players])

    assert outcomes == {"Redemption": 1, "CodeUsed": 99}
    assert Draw.objects.filter(campaign=small).count() == 1


def test_control_a_code_is_used_twice_without_the_constraint(
    small: Campaign, owner_connection: psycopg.Connection
) -> None:
    text = make.code(small)
    players = PlayerFactory.create_batch(20)
    hands.ensure(campaign_id=small.pk, players=[player.pk for player in players])
    owner_connection.execute("ALTER TABLE cards_draw DROP CONSTRAINT draw_nonce_once")
    try:
        conflict = "ON CONFLICT (campaign_id, source, nonce) DO NOTHING"
        with meeting_without(owner_connection, 20, cut=conflict):
            outcomes = parallel(small, [make.scan(small, player, text=text) for player in players], threads=20)
    finally:
        erase(small, owner_connection)
        owner_connection.execute(
            "ALTER TABLE cards_draw ADD CONSTRAINT draw_nonce_once UNIQUE (campaign_id, source, nonce)"
        )

    assert outcomes["Redemption"] > 1


RARE = {
    "weights": {"patriotism": 1, "prosperity": 1, "harmony": 1, "friendliness": 1, "dedication": 1_000_000},
    "caps": {"dedication": {"units": 50, "tranches": 1}},
    "quotas": make.PLENTY,
}


class Crash(Exception):
    """A transaction that ends with ROLLBACK after all of its statements."""


def draw_in_batches(campaign: Campaign, monkeypatch: pytest.MonkeyPatch, *, batches: int) -> list[Any]:
    """`batches` parallel batches of ten scans, every twentieth of which is rolled back at its end."""
    players = PlayerFactory.create_batch(100)
    hands.ensure(campaign_id=campaign.pk, players=[player.pk for player in players])
    fetch = sql.fetch
    fallen = iter([True] * (batches // 20) + [False] * (batches - batches // 20))

    def crashing(statement: str, params: dict[str, Any] | None = None) -> list[Any]:
        with transaction.atomic():
            rows = fetch(statement, params)
            if next(fallen, False):
                raise Crash
        return rows

    monkeypatch.setattr(sql, "fetch_alone", crashing)
    dice = random.Random(5)

    def batch(mine: list[Player]) -> Any:
        return scans.redeem(campaign=campaign, scans=[make.scan(campaign, player) for player in mine])

    calls = [partial(patiently, partial(batch, dice.sample(players, 10))) for _ in range(batches)]
    outcomes = together(*calls)
    monkeypatch.undo()
    return outcomes


def test_a_cap_of_50_under_500_draws_with_rollbacks(monkeypatch: pytest.MonkeyPatch) -> None:
    season = make.SeasonFactory.create(rulebook=RARE)
    outcomes = draw_in_batches(season, monkeypatch, batches=60)

    assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [Crash] * 3
    drawn = Draw.objects.filter(campaign=season, serial__isnull=False)
    assert Draw.objects.filter(campaign=season).count() == 570
    assert sorted(drawn.values_list("serial", flat=True)) == list(range(1, 51))
    assert not Stock.objects.filter(campaign=season).exists()


def rare_cards_of_five_batches_at_once(season: Campaign) -> int:
    """How many of fifty wishes for fifty units get one, in five batches that begin together."""
    players = PlayerFactory.create_batch(50)
    hands.ensure(campaign_id=season.pk, players=[player.pk for player in players])
    batches = [[make.scan(season, player) for player in players[n::5]] for n in range(5)]
    together(*(partial(scans.redeem, campaign=season, scans=batch) for batch in batches))
    assert Draw.objects.filter(campaign=season).count() == 50
    return Draw.objects.filter(campaign=season, serial__isnull=False).count()


def test_a_cap_that_is_asked_for_is_used_up_to_the_last(owner_connection: psycopg.Connection) -> None:
    season = make.SeasonFactory(rulebook=RARE)
    with meeting_without(owner_connection, 5):
        assert rare_cards_of_five_batches_at_once(season) == 50


def test_control_without_skip_locked_wishes_go_empty_while_units_are_left(
    owner_connection: psycopg.Connection,
) -> None:
    season = make.SeasonFactory(rulebook=RARE)
    with meeting_without(owner_connection, 5, cut=CLAIM, put=") unit\n"):
        given = rare_cards_of_five_batches_at_once(season)

    assert given < 50
    assert Stock.objects.filter(campaign=season).count() == 50 - given


def units_after_a_race_for_one_code(season: Campaign) -> tuple[int, int]:
    """(units drawn, units in stock) of fifty, after twenty players have used one code at once."""
    players = PlayerFactory.create_batch(20)
    hands.ensure(campaign_id=season.pk, players=[player.pk for player in players])
    text = make.code(season)
    parallel(season, [make.scan(season, player, text=text) for player in players], threads=20)
    drawn = Draw.objects.filter(campaign=season, serial__isnull=False).count()
    return drawn, Stock.objects.filter(campaign=season).count()


def test_the_unit_of_a_scan_that_lost_its_code_goes_back(owner_connection: psycopg.Connection) -> None:
    season = make.SeasonFactory(rulebook=RARE)
    with meeting_without(owner_connection, 20):
        assert units_after_a_race_for_one_code(season) == (1, 49)


def test_control_units_are_lost_unless_they_are_put_back(owner_connection: psycopg.Connection) -> None:
    season = make.SeasonFactory(rulebook=RARE)
    kept = "         WHERE NOT EXISTS (SELECT 1 FROM drawn d WHERE d.serial = t.serial AND d.kind = t.kind)\n"
    with meeting_without(owner_connection, 20, cut=kept, put="         WHERE false\n"):
        drawn, in_stock = units_after_a_race_for_one_code(season)
    erase(season, owner_connection)

    assert drawn == 1
    assert in_stock < 49


def test_first_scans_of_many_new_players_in_overlapping_batches(small: Campaign) -> None:
    players = PlayerFactory.create_batch(40)
    dice = random.Random(7)
    batches = [
        partial(scans.redeem, campaign=small, scans=[make.scan(small, player) for player in dice.sample(players, 40)])
        for _ in range(16)
    ]
    answered = together(*batches)

    assert counted([outcome for batch in answered for outcome in batch]) == {
        "Redemption": 120,
        "DailyLimitReached": 520,
    }


def test_control_first_scans_deadlock_inside_the_game_transaction(small: Campaign, alice: Player) -> None:
    bob, first_made = PlayerFactory.create(), threading.Barrier(2)

    def join(*players: Player) -> None:
        with transaction.atomic():
            for player in players:
                sql.execute(sql.text("cards", "ensure_hands"), {"campaign": small.pk, "players": [player.pk]})
                if player is players[0]:
                    first_made.wait(PATIENCE_S)
            transaction.set_rollback(True)

    outcomes = together(partial(join, alice, bob), partial(join, bob, alice))

    states = {
        getattr(outcome.__cause__, "sqlstate", None) for outcome in outcomes if isinstance(outcome, OperationalError)
    }
    assert states & {"40P01", "55P03"}


def test_the_same_scan_sent_20_times_at_once_is_one_draw(small: Campaign, alice: Player) -> None:
    item = make.scan(small, alice)
    outcomes = together(*[partial(scans.redeem, campaign=small, scans=[item])] * 20)

    assert len({outcome[0].draw.id for outcome in outcomes}) == 1
    assert Draw.objects.filter(player=alice).count() == 1


def test_two_players_can_not_take_one_unit(small: Campaign) -> None:
    """The last word is the constraint's: a serial is issued once."""
    bob = PlayerFactory.create()
    first = make.DrawFactory.create(campaign=small, player=bob)
    first.serial = 1
    with pytest.raises(IntegrityError, match="draw_serial_once"), transaction.atomic():
        for nonce in (b"n1", b"n2"):
            first.pk, first.nonce, first.key = None, nonce, nonce.decode()
            first.save(force_insert=True)


LOOK = "    SELECT * INTO gate FROM fortunes_gate_look(the_campaign);\n"
LOCK = newest("cards", "scan").partition("    PERFORM fortunes_gate_lock(the_campaign);\n")[2].partition(LOOK)[0]


def days_of_a_scan_that_waits_over_midnight(clock: Clock) -> list[int]:
    """The campaign, and how many cards alice gets on two days of three, with a scan that waits over midnight."""
    now = database_clock.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    quota = {"code": {"per_day": 3, "per_campaign": 100}}
    season = make.SeasonFactory(tz="UTC", rulebook={"quotas": quota})
    clock.move_to(midnight - timedelta(minutes=1))
    alice = PlayerFactory()
    for _ in range(3):
        make.redeem(season, alice)
    holding = threading.Event()
    rules = rulebooks.version(season.pk, 1)

    def three_scans_after_midnight() -> None:
        with transaction.atomic():
            Hand.objects.select_for_update().get(campaign=season, player=alice)
            holding.set()
            until_somebody_waits()
            clock.move_to(midnight + timedelta(seconds=1))
            for _ in range(3):
                item = make.scan(season, alice)
                params = drawing.params(season, 1, rules, [scans.wish(item, campaign=season)])
                sql.fetch(sql.text("cards", "scan"), params)

    def late_scan() -> None:
        assert holding.wait(PATIENCE_S)
        make.redeem(season, alice)

    assert together(three_scans_after_midnight, late_scan) == [None, None]
    for _ in range(5):
        make.redeem(season, alice)
    return [season.pk, Draw.objects.filter(player=alice).count()]


def test_a_scan_that_waited_over_midnight_counts_for_the_new_day(clock: Clock) -> None:
    assert days_of_a_scan_that_waits_over_midnight(clock)[1] == 6


def test_control_a_look_before_the_lock_gives_the_quota_back(
    clock: Clock, owner_connection: psycopg.Connection
) -> None:
    # And the day that never goes back, the second line of defence.
    more = {
        "WHEN h.day >= gate.today AND": "WHEN h.day = gate.today AND",
        "CASE WHEN h.day >= gate.today THEN": "CASE WHEN h.day = gate.today THEN",
    }
    with without(owner_connection, "cards", "scan", cut=LOCK + LOOK, put=LOOK + LOCK, more=more):
        campaign, drawn = days_of_a_scan_that_waits_over_midnight(clock)
    erase(Campaign.objects.get(pk=campaign), owner_connection)

    assert drawn > 6
