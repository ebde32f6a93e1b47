"""Check-ins, credits for invitations, grants and counts under races, each guard with a control."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import transaction

from accounts.models import Player
from cards import drawing, drawlog, hands, nonces
from cards.actions import batches, compensations, counts, credits, scans
from cards.models import CodeBatch, Draw, Hand, InvitationCredit, SupportReason
from fortunes import clock as database_clock
from fortunes import rulebooks, sql
from fortunes.models import AuditEntry, Campaign, Event
from tests.concurrency.together import PATIENCE_S, patiently, together, until, until_somebody_waits
from tests.concurrency.variants import erase, meeting, without
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory, ReferralFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.committed

HAND_LOCK = "               FOR NO KEY UPDATE) h;\n"
CONFLICT = "        ON CONFLICT (campaign_id, source, nonce) DO NOTHING\n"
STALE_DAY = "                    WHEN i.day <> gate.today THEN 'stale-day'\n"
JUDGED = "= ANY (locked) LIMIT 1"


def kinds_of(outcomes: list[Any]) -> Counter[str]:
    return Counter(type(outcome).__name__ for outcome in outcomes)


@pytest.fixture
def season() -> Campaign:
    return make.SeasonFactory.create(rulebook={"quotas": make.PLENTY})


@pytest.fixture
def alice() -> Player:
    return PlayerFactory.create()


# --- check-ins


def test_50_check_ins_at_once_are_one_draw(season: Campaign, alice: Player) -> None:
    outcomes = together(*[partial(patiently, partial(make.check_in, season, alice))] * 50)

    assert kinds_of(outcomes) == {"Redemption": 1, "AlreadyCheckedIn": 49}
    assert Draw.objects.filter(player=alice).count() == 1


def test_control_without_lock_and_natural_nonce_a_day_has_many_check_ins(
    season: Campaign, alice: Player, owner_connection: psycopg.Connection
) -> None:
    """Either of the two guards alone would hold: the quota under the hand's lock, and one nonce a day."""
    hands.ensure(campaign_id=season.pk, players=[alice.pk])
    owner_connection.execute("ALTER TABLE cards_draw DROP CONSTRAINT draw_nonce_once")
    try:
        with (
            meeting(owner_connection, 20) as meet,
            # They meet between what their statement sees and what it takes, so that all see the same.
            without(
                owner_connection, "cards", "scan", cut=HAND_LOCK, put=") h;\n",
                more={CONFLICT: "", JUDGED: f"= ANY (locked) AND {meet} LIMIT 1"},
            ),
        ):  # fmt: skip
            outcomes = together(*[partial(make.check_in, season, alice)] * 20)
    finally:
        erase(season, owner_connection)
        owner_connection.execute(
            "ALTER TABLE cards_draw ADD CONSTRAINT draw_nonce_once UNIQUE (campaign_id, source, nonce)"
        )

    assert kinds_of(outcomes)["Redemption"] > 1


def days_of_a_check_in_that_waits_over_midnight(clock: Clock) -> tuple[Campaign, bool]:
    """The campaign, and whether the draw's nonce is of the day of the draw."""
    midnight = database_clock.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    season = make.SeasonFactory(tz="UTC")
    clock.move_to(midnight - timedelta(minutes=1))
    alice = PlayerFactory()
    hands.ensure(campaign_id=season.pk, players=[alice.pk])
    rulebooks.believed(season.pk)
    holding = threading.Event()

    def holder() -> None:
        with transaction.atomic():
            Hand.objects.select_for_update().get(campaign=season, player=alice)
            holding.set()
            until_somebody_waits()
            clock.move_to(midnight + timedelta(seconds=1))

    def check_in() -> None:
        assert holding.wait(PATIENCE_S)
        make.check_in(season, alice)

    assert together(holder, check_in) == [None, None]
    draw = Draw.objects.get(player=alice)
    assert draw.at > midnight
    return season, bytes(draw.nonce) == nonces.check_in(player_id=alice.pk, day=draw.at.date())


def test_a_check_in_that_waited_over_midnight_is_of_the_new_day(clock: Clock) -> None:
    assert days_of_a_check_in_that_waits_over_midnight(clock)[1]


def test_control_a_day_that_is_not_judged_under_the_lock_is_yesterday(
    clock: Clock, owner_connection: psycopg.Connection
) -> None:
    with without(owner_connection, "cards", "scan", cut=STALE_DAY):
        season, natural = days_of_a_check_in_that_waits_over_midnight(clock)
    erase(season, owner_connection)

    assert not natural


# --- credits for invitations


def invited_players(season: Campaign, inviter: Player, count: int) -> None:
    for player in PlayerFactory.create_batch(count):
        ReferralFactory.create(inviter=inviter, invited=player)
        make.redeem(season, player)


@pytest.fixture
def generous() -> Campaign:
    quotas = {**make.PLENTY, "invitation": {"per_day": 50, "per_campaign": 50}}
    return make.SeasonFactory.create(rulebook={"quotas": quotas})


def test_six_workers_at_once_credit_each_invitation_once(generous: Campaign, alice: Player) -> None:
    invited_players(generous, alice, 8)
    outcomes = together(*[credits.credit_due] * 6)
    credits.credit_due()

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert InvitationCredit.objects.filter(inviter=alice, state="credited").count() == 8
    assert Draw.objects.filter(player=alice).count() == 8
    assert Event.objects.filter(player=alice, type="invitation.credited").count() == 8


def test_control_without_claim_and_natural_nonce_an_invitation_is_credited_twice(
    generous: Campaign, alice: Player, owner_connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either of the two guards alone would hold."""
    invited_players(generous, alice, 1)
    credits.find_due()
    text, natural = sql.text, credits._wish

    def open_claim(app: str, name: str) -> str:
        found = text(app, name)
        if name == "claim_credits":
            found = f"SELECT * FROM ({found.replace('FOR UPDATE SKIP LOCKED', '')}) claimed WHERE test_meet(4)"
        return found

    def chosen(source: int, credit: Any) -> drawing.Wish:
        wish = natural(source, credit)
        nonce = secrets.token_bytes(8)
        return drawing.Wish(wish.player_id, nonce.hex(), wish.body_hash, wish.source, nonce)

    hands.ensure(campaign_id=generous.pk, players=[alice.pk])
    monkeypatch.setattr(sql, "text", open_claim)
    monkeypatch.setattr(credits, "_wish", chosen)
    with meeting(owner_connection, 4):
        together(*[credits.credit_due] * 4)
    monkeypatch.undo()
    drawn = Draw.objects.filter(player=alice).count()
    erase(generous, owner_connection)

    assert drawn > 1


class Killed(BaseException):
    """The worker is gone, and with it the transaction that it was in."""


def test_a_worker_killed_between_any_two_statements(
    generous: Campaign, alice: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    invited_players(generous, alice, 2)
    fetch, execute = sql.fetch, sql.execute
    left = 0

    def counted(call: Any) -> Any:
        def run(*args: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return call(*args)

        return run

    monkeypatch.setattr(sql, "fetch", counted(fetch))
    monkeypatch.setattr(sql, "execute", counted(execute))
    killed = 0
    for statements in range(1, 60):
        left = statements
        try:
            credits.credit_due()
        except Killed:
            killed += 1
        else:
            break
    monkeypatch.undo()

    assert killed > 8
    assert Draw.objects.filter(player=alice).count() == 2
    assert InvitationCredit.objects.filter(inviter=alice, state="credited").count() == 2
    assert Event.objects.filter(player=alice, type="invitation.credited").count() == 2


WORKER = """
import django
django.setup()
from cards.actions import credits
credits.MOST = 1
credits.credit_due(budget_s=600)
"""


@pytest.mark.slow
def test_workers_killed_with_9_leave_nothing_half_done(
    generous: Campaign, alice: Player, owner_connection: psycopg.Connection
) -> None:
    invited_players(generous, alice, 30)
    credited = InvitationCredit.objects.filter(inviter=alice, state="credited")
    codes = []
    # So slow that a worker is still at it when it is killed, however late that is.
    slowly = "= ANY (locked) AND pg_sleep(0.2) IS NOT NULL LIMIT 1"
    with without(owner_connection, "cards", "scan", cut=JUDGED, put=slowly):
        for goal in (5, 12, 20):
            with subprocess.Popen([sys.executable, "-c", WORKER], cwd=settings.BASE_DIR) as worker:
                ends = time.monotonic() + 60
                while credited.count() < goal and worker.poll() is None and time.monotonic() < ends:
                    time.sleep(0.01)
                worker.kill()
            codes.append(worker.returncode)
        assert credited.count() < 30
        credits.credit_due(budget_s=600)

    assert codes == [-signal.SIGKILL] * 3
    assert credited.count() == Draw.objects.filter(player=alice).count() == 30
    assert Event.objects.filter(player=alice, type="invitation.credited").count() == 30


# --- counts


def counted_while_an_older_draw_commits_late(season: Campaign) -> tuple[int, int]:
    """(draws, counted draws) after one draw committed before another with a smaller id, with a count in between."""
    alice, bob = PlayerFactory.create_batch(2)
    hands.ensure(campaign_id=season.pk, players=[alice.pk, bob.pk])
    rules = rulebooks.version(season.pk, 1)
    params = drawing.params(season, 1, rules, [scans.wish(make.scan(season, alice), campaign=season)])
    drawn, counted = threading.Event(), threading.Event()

    def slow_scan() -> None:
        with transaction.atomic():
            sql.fetch(sql.text("cards", "scan"), params)
            drawn.set()
            assert counted.wait(PATIENCE_S)

    def count() -> None:
        assert drawn.wait(PATIENCE_S)
        make.redeem(season, bob)
        counts.count_due()
        counted.set()

    assert together(slow_scan, count) == [None, None]
    counts.count_due()
    total = sum(count.draws for count in counts.totals(campaign=season))
    return Draw.objects.filter(campaign=season).count(), total


def test_a_draw_that_commits_late_is_counted(season: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawlog, "PATIENCE_S", 0.1)

    assert counted_while_an_older_draw_commits_late(season) == (2, 2)


def test_control_without_a_look_at_the_gates_a_late_draw_is_never_counted(
    season: Campaign, monkeypatch: pytest.MonkeyPatch, owner_connection: psycopg.Connection
) -> None:
    monkeypatch.setattr(drawlog, "_gate_holders", set)
    outcome = counted_while_an_older_draw_commits_late(season)
    erase(season, owner_connection)

    assert outcome == (2, 1)


def test_a_count_waits_for_a_short_scan(season: Campaign, alice: Player) -> None:
    """Where somebody always scans, counting goes on all the same."""
    stop = threading.Event()

    def scanning(player: Player) -> None:
        while not stop.is_set():
            make.redeem(season, player)

    def counting() -> None:
        try:
            until(counts.count_due)
        finally:
            stop.set()

    *_, counted = together(*(partial(scanning, player) for player in PlayerFactory.create_batch(3)), counting)
    counts.count_due()

    assert counted is None
    total = sum(count.draws for count in counts.totals(campaign=season))
    assert total == Draw.objects.filter(campaign=season).count()


def test_six_counters_at_once_count_each_draw_once(
    season: Campaign, alice: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawlog, "CHUNK", 2)
    for _ in range(12):
        make.redeem(season, alice)
    together(*[counts.count_due] * 6)
    # Who found a gate taken, such as that of a worker who was killed, has counted nothing yet.
    until(lambda: counts.count_due() or counts.totals(campaign=season))
    while counts.count_due():
        pass

    assert sum(count.draws for count in counts.totals(campaign=season)) == 12


# --- grants and batches


def test_one_grant_that_arrives_12_times_is_one_draw(season: Campaign, alice: Player) -> None:
    staff = PlayerFactory.create(is_staff=True)
    grant = partial(
        compensations.grant_draw,
        campaign_id=season.pk, player_id=alice.pk, by=staff.pk, reason=SupportReason.FAULT, key="ticket",
    )  # fmt: skip
    outcomes = together(*[grant] * 12)

    assert kinds_of(outcomes) == {"Redemption": 12}
    assert len({outcome.draw.id for outcome in outcomes}) == 1
    assert Event.objects.filter(player=alice, type="draw.granted").count() == 1
    assert AuditEntry.objects.filter(subject="accounts.player", subject_id=alice.pk).count() == 1


def print_many(season: Campaign) -> list[Any]:
    create = partial(
        batches.create, campaign_id=season.pk, source_slug="code", count=1, expires_at=season.closes_at
    )  # fmt: skip
    return together(*[create] * 10)


def test_ten_that_print_at_once_have_ten_numbers(season: Campaign) -> None:
    numbers = sorted(batch.number for batch in print_many(season))

    assert numbers == list(range(1, 11))


def test_a_batch_revoked_by_8_at_once_is_revoked_once(season: Campaign) -> None:
    batch = batches.create(campaign_id=season.pk, source_slug="code", count=1, expires_at=season.closes_at)
    staff = PlayerFactory.create_batch(8)
    outcomes = together(*(partial(batches.revoke, batch_id=batch.pk, by=player.pk) for player in staff))

    assert kinds_of(outcomes) == {"CodeBatch": 8}
    first = CodeBatch.objects.get(pk=batch.pk)
    told = AuditEntry.objects.filter(action="codes.revoked", subject_id=batch.pk)
    assert [entry.actor_id for entry in told] == [first.revoked_by_id]
