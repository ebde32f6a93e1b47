"""Changes of the rules at once: with one another, the opening, the freeze and scans; and workers that die at them."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from cards import errors as card_errors
from cards.models import Draw
from fortunes import errors, gate, rulebooks, sql
from fortunes.actions import campaigns, rulechanges
from fortunes.models import Amendment, AuditEntry, Broadcast, Campaign, Rulebook
from fortunes.sentences import Sentence
from tests.concurrency.together import PATIENCE_S, together, until, until_somebody_waits
from tests.concurrency.variants import erase, holding, without
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory
from tests.factories.fortunes import change_rules
from tests.plugins.clock import Clock

pytestmark = pytest.mark.committed

WORKERS = 6
STALE = "                    WHEN gate.rulebook_version IS DISTINCT FROM the_version THEN 'stale-rulebook' END;\n"
BROADCAST = "    INSERT INTO fortunes_broadcast (campaign_id"


@pytest.fixture
def season() -> Campaign:
    return make.SeasonFactory.create(rulebook={"caps": {}, "quotas": {"code": {"per_day": 1_000, "per_campaign": 3}}})


def raised(season: Campaign, **patch: Any) -> Rulebook:
    return rulechanges.change_by_staff(campaign_id=season.pk, patch=patch, by=None)


def leave_the_gate_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "close", lambda campaign_id: None)


def meet_after_the_last_look(monkeypatch: pytest.MonkeyPatch, parties: int, *, looks: int) -> None:
    """Whoever has looked so often for the newest version waits until all the others have."""
    newest, barrier, looked = rulebooks.newest, threading.Barrier(parties), threading.local()

    def look(campaign_id: int) -> Rulebook:
        found = newest(campaign_id)
        looked.times = getattr(looked, "times", 0) + 1
        if looked.times == looks:
            barrier.wait(PATIENCE_S)
        return found

    monkeypatch.setattr(rulebooks, "newest", look)


# --- two changes


def test_of_many_changes_by_staff_at_once_each_counts(season: Campaign) -> None:
    changes = [{"quotas": {"code": {"per_day": 1_001}}}, {"quotas": {"code": {"per_campaign": 17}}}] + [
        {"trading": {name: 1_000}} for name in ("open_trades", "open_links", "links_per_day", "received_per_day")
    ]
    made = together(*(partial(raised, season, **patch) for patch in changes))

    assert sorted(version.version for version in made) == [2, 3, 4, 5, 6, 7]
    now = rulebooks.current(season.pk)
    assert (now.quotas["code"].per_day, now.quotas["code"].per_campaign) == (1_001, 17)
    assert (now.trading.open_trades, now.trading.received_per_day) == (1_000, 1_000)
    heard = Broadcast.objects.filter(campaign=season, type="rulebook.changed").order_by("seq")
    assert [row.data["version"] for row in heard] == [2, 3, 4, 5, 6, 7]


def test_control_without_gate_and_lock_only_the_constraint_keeps_a_change(
    season: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_the_gate_open(monkeypatch)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)
    meet_after_the_last_look(monkeypatch, 2, looks=2)
    first, second = ({"trading": {name: 1_000}} for name in ("open_trades", "open_links"))
    made = together(partial(raised, season, **first), partial(raised, season, **second))

    assert {type(outcome) for outcome in made} == {Rulebook, IntegrityError}


@pytest.fixture
def announced(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Amendment:
    """A change whose date has come. Those that other tests have left aren't looked at."""
    season = make.SeasonFactory.create(announced=[(timedelta(days=1), {"wilds_fill": True})])
    announced, due = season.amendments.get(), rulechanges._due
    monkeypatch.setattr(rulechanges, "_due", lambda: due().filter(campaign=season))
    clock.move_to(announced.takes_force_at)
    return announced


def test_six_workers_put_an_announced_change_in_force_once(announced: Amendment) -> None:
    def work() -> None:
        until(lambda: rulechanges.apply_due() or rulebooks.newest(announced.campaign_id).version > 1)

    assert together(*[work] * WORKERS) == [None] * WORKERS
    assert whole(announced)


def test_control_without_the_gate_only_the_constraint_keeps_it_from_being_doubled(
    announced: Amendment, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_the_gate_open(monkeypatch)
    meet_after_the_last_look(monkeypatch, 2, looks=1)
    outcomes = together(*[rulechanges.apply_due] * 2)

    assert {type(outcome) for outcome in outcomes} == {type(None), IntegrityError}


# --- the gate that is held


def with_somebody_in_the_gate(campaign_id: int, act: Callable[[], Any], *, leave: threading.Event) -> Any:
    """What comes of an act; whoever is in the gate leaves it when told to, at the latest when the act is over."""
    entered = threading.Event()

    def hold() -> None:
        with transaction.atomic():
            sql.fetch("SELECT fortunes_gate_lock(%(campaign)s)", {"campaign": campaign_id})
            entered.set()
            leave.wait(PATIENCE_S)

    def acting() -> Any:
        entered.wait(PATIENCE_S)
        try:
            return act()
        finally:
            leave.set()

    return together(hold, acting)[1]


def test_a_change_by_staff_knocks_until_who_is_in_the_gate_has_left(
    season: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave, knocked = threading.Event(), threading.Event()
    monkeypatch.setattr(rulechanges, "KNOCKS", 1_000)
    # It was told that the gate is held.
    monkeypatch.setattr(rulechanges.time, "sleep", lambda _: (knocked.set(), leave.set()))
    made = with_somebody_in_the_gate(season.pk, partial(raised, season, trading={"open_trades": 30}), leave=leave)

    assert (made.version, knocked.is_set()) == (2, True)


def test_a_change_by_staff_gives_up_at_a_gate_that_stays_held(
    season: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rulechanges, "KNOCKS", 2)
    act = partial(raised, season, trading={"open_trades": 30})
    outcome = with_somebody_in_the_gate(season.pk, act, leave=threading.Event())

    assert type(outcome) is errors.Busy
    assert rulebooks.newest(season.pk).version == 1


def test_an_announced_change_waits_for_who_is_in_the_gate(announced: Amendment) -> None:
    def work() -> int:
        rulechanges.apply_due()
        return rulebooks.newest(announced.campaign_id).version

    assert with_somebody_in_the_gate(announced.campaign_id, work, leave=threading.Event()) == 1
    rulechanges.apply_due()
    assert whole(announced)


# --- the freeze


def extend_while_the_deadline_passes(
    season: Campaign, clock: Clock, monkeypatch: pytest.MonkeyPatch, *, meanwhile: Callable[[], object]
) -> tuple[Any, bool]:
    """(what came of the extension, whether the season is frozen in the end); `meanwhile` waits for the freeze."""
    judged, extended = threading.Event(), threading.Event()
    too_late = rulechanges._too_late

    def judge(*given: Any) -> Sentence | None:
        reason = too_late(*given)
        clock.move_to(season.closes_at)
        judged.set()
        meanwhile()
        return reason

    monkeypatch.setattr(rulechanges, "_too_late", judge)

    def extend() -> Rulebook:
        try:
            return change_rules(season, extension_min=10)
        finally:
            extended.set()

    def freeze() -> bool:
        judged.wait(PATIENCE_S)
        while not (frozen := campaigns.freeze(campaign_id=season.pk)) and not extended.is_set():
            time.sleep(0.01)
        return frozen or campaigns.freeze(campaign_id=season.pk)

    outcome, frozen = together(extend, freeze)
    return outcome, frozen


def test_a_deadline_that_is_moved_while_it_passes_is_moved(
    season: Campaign, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, frozen = extend_while_the_deadline_passes(season, clock, monkeypatch, meanwhile=until_somebody_waits)

    assert (outcome.version, frozen) == (2, False)
    assert Campaign.objects.get(pk=season.pk).closes_at == season.closes_at + timedelta(minutes=10)


def test_control_without_the_gate_only_a_constraint_keeps_a_frozen_season_from_a_later_deadline(
    season: Campaign, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_the_gate_open(monkeypatch)

    def until_it_is_frozen() -> None:
        until(Campaign.objects.filter(pk=season.pk, frozen_at__isnull=False).exists)

    outcome, frozen = extend_while_the_deadline_passes(season, clock, monkeypatch, meanwhile=until_it_is_frozen)

    assert (type(outcome), frozen) == (IntegrityError, True)


def test_a_scan_that_waits_while_the_deadline_is_moved_counts(season: Campaign, clock: Clock) -> None:
    player, entered = PlayerFactory.create(), threading.Event()
    make.redeem(season, player)

    def extend() -> None:
        with transaction.atomic():
            gate.close(season.pk)
            rulechanges.apply(
                campaign_id=season.pk, patch={"extension_min": 10}, reason=Rulebook.Reason.STAFF, by=None
            )  # fmt: skip
            clock.move_to(season.closes_at + timedelta(seconds=1))
            entered.set()
            until_somebody_waits()

    def scan() -> Any:
        entered.wait(PATIENCE_S)
        return make.redeem(season, player)

    extended, scanned = together(extend, scan)

    assert (extended, scanned.draw.rulebook_version) == (None, 2)


# --- scans


def test_scans_that_straddle_a_quota_that_is_raised(season: Campaign) -> None:
    """Each is judged by the version in force at its instant, and everybody has what the new quota allows, at once."""
    players, stop = PlayerFactory.create_batch(4), threading.Event()

    def scanning(player: Any) -> list[str]:
        outcomes: list[str] = []
        while not stop.is_set() or outcomes[-1] != "CampaignLimitReached":
            outcomes.append(type(make.redeem(season, player)).__name__)
        return outcomes

    def changing() -> None:
        until(lambda: Draw.objects.filter(campaign=season).count() >= 6)
        raised(season, quotas={"code": {"per_campaign": 5}})
        stop.set()

    *answered, _ = together(*(partial(scanning, player) for player in players), changing)

    assert [outcomes.count("Redemption") for outcomes in answered] == [5] * 4
    changed_at = rulebooks.newest(season.pk).in_force_at
    drawn = Draw.objects.filter(campaign=season).values_list("rulebook_version", "at")
    assert {version for version, _ in drawn} == {1, 2}
    assert all((at >= changed_at) == (version == 2) for version, at in drawn)


def scan_prepared_before_a_quota_was_lowered(season: Campaign) -> Any:
    """This process believes in the former rules until the gate names others."""
    player = PlayerFactory.create()
    make.redeem(season, player)
    change_rules(season, quotas={"code": {"per_campaign": 1}})
    return make.redeem(season, player)


def test_a_scan_that_was_prepared_by_the_former_rules_is_judged_by_the_new_ones(season: Campaign) -> None:
    assert type(scan_prepared_before_a_quota_was_lowered(season)) is card_errors.CampaignLimitReached


def test_control_without_the_look_at_the_version_former_rules_go_on(
    season: Campaign, owner_connection: psycopg.Connection
) -> None:
    with without(owner_connection, "cards", "scan", cut=STALE, put="                    END;\n"):
        outcome = scan_prepared_before_a_quota_was_lowered(season)

    assert outcome.draw.rulebook_version == 1
    erase(season, owner_connection)


# --- workers that die


HOLDERS = """
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = %(space)s::oid AND objid = %(campaign)s::oid
"""


class Killed(BaseException):
    """As if the process had ended here."""


def whole(announced: Amendment) -> bool:
    """All of it has happened, and once."""
    announced.refresh_from_db()
    season = announced.campaign_id
    versions = Rulebook.objects.filter(campaign=season, version__gt=1)
    heard = Broadcast.objects.filter(campaign=season, type="rulebook.changed")
    noted = AuditEntry.objects.filter(action="rules.announcement_applied", subject_id=announced.pk)
    counts = (versions.count(), heard.count(), noted.count())
    assert counts in {(0, 0, 0), (1, 1, 1)}
    assert (announced.applied_at is not None) == (counts == (1, 1, 1))
    return counts == (1, 1, 1)


def test_a_worker_killed_between_any_two_statements(announced: Amendment, monkeypatch: pytest.MonkeyPatch) -> None:
    left = 0

    def counted(call: Callable[..., Any], *given: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        return call(*given)

    for name in ("fetch", "execute"):
        monkeypatch.setattr(sql, name, partial(counted, getattr(sql, name)))
    killed = 0
    with connection.execute_wrapper(counted):
        for statements in range(1, 60):
            left = statements
            try:
                rulechanges.apply_due()
            except Killed:
                killed += 1
            else:
                break
    monkeypatch.undo()

    assert killed > 8
    assert whole(announced)


# Changes that other tests have left aren't its business.
WORKER = """
import sys
import django
django.setup()
from fortunes.actions import rulechanges
due = rulechanges._due
rulechanges._due = lambda: due().filter(campaign=int(sys.argv[1]))
rulechanges.apply_due()
"""


@pytest.mark.slow
def test_a_worker_killed_with_9_leaves_the_whole_change_or_nothing(
    announced: Amendment, owner_connection: psycopg.Connection
) -> None:
    """The first dies with its version written and nothing told; the next does all of it, the one after it nothing."""
    command = [sys.executable, "-c", WORKER, str(announced.campaign_id)]
    with (
        holding(owner_connection) as (hold, is_held, release),
        without(
            owner_connection, "fortunes", "append_broadcast", cut=BROADCAST, put=f"    PERFORM {hold};\n{BROADCAST}"
        ),
    ):
        with subprocess.Popen(command, cwd=settings.BASE_DIR) as worker:
            until(is_held)
            worker.kill()
        release()
        until(lambda: not sql.fetch(HOLDERS, {"space": gate.NAMESPACE, "campaign": announced.campaign_id}))
    assert worker.returncode == -signal.SIGKILL
    assert not whole(announced)

    for _ in range(2):
        subprocess.run(command, cwd=settings.BASE_DIR, check=True)
        assert whole(announced)
