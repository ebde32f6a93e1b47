"""Players who are away: no event is lost while their host is told of others, and none is told twice by two workers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from accounts import families, webhooks
from accounts.actions import composing, notifications, pushes
from accounts.models import NotificationSettings, Player, Push, PushHost
from fortunes import clock, sql
from fortunes import pushes as feeds
from fortunes.models import DatabaseNow, Feed, PushDue
from tests.concurrency.together import PATIENCE_S, together, until_somebody_waits
from tests.pushes import away, receivers
from tests.pushes.receivers import Receiver

pytestmark = pytest.mark.committed

PLAYERS = 20


@pytest.fixture
def service(settings: Settings, tmp_path: Path) -> Iterator[Receiver]:
    """A push service, and nobody but the test's own players is told of anything. Nobody sleeps."""
    for player in Feed.objects.filter(pushes=True).values_list("player_id", flat=True):
        feeds.turn_off(player)
    Push.objects.filter(state=Push.State.WAITING).update(state=Push.State.DROPPED)
    PushHost.objects.all().delete()
    with receivers.running() as receiver:
        settings.DEBUG, settings.PUSH_QUIET_HOURS = True, ""
        settings.FEDERATION_FILE = away.configured(tmp_path, receiver.url)
        yield receiver


@pytest.fixture
def alice(service: Receiver) -> Player:
    """She has been asked by somebody, and is due."""
    player = away.arrived()
    away.ask(player)
    fall_due()
    return player


@pytest.fixture
def crowd(service: Receiver) -> list[Player]:
    players = [away.arrived() for _ in range(PLAYERS)]
    for player in players:
        away.ask(player)
    fall_due()
    return players


def fall_due() -> None:
    PushDue.objects.update(due_at=DatabaseNow())


def compose() -> int:
    return composing.compose(hosts=webhooks.hosts(), resting={}, now=clock.now(), most=PLAYERS)


def claim() -> list[Any]:
    return pushes._claim("host", most=PLAYERS)


def ranges(player: Player) -> list[tuple[int, int]]:
    return list(Push.objects.filter(player=player).order_by("after").values_list("after", "upto"))


def broken() -> list[int]:
    return [row.player_id for row in sql.fetch(sql.text("fortunes", "invariants/pushes_are_due"))]


def test_an_event_that_comes_while_others_are_told_of_is_not_lost(alice: Player):
    """It finds its player due, and adds nothing to that. Whoever would take that away leaves it to the next time."""
    appended, composed = threading.Event(), threading.Event()

    def append() -> None:
        with transaction.atomic():
            away.ask(alice)
            appended.set()
            assert composed.wait(PATIENCE_S)

    def read() -> int:
        assert appended.wait(PATIENCE_S)
        try:
            return compose()
        finally:
            composed.set()

    assert together(append, read) == [None, 1]
    assert (ranges(alice), away.is_due(alice), broken()) == ([], True, [])
    fall_due()
    compose()
    assert (ranges(alice), away.is_due(alice), broken()) == ([(0, 2)], False, [])


def test_an_event_waits_for_who_tells_of_others_and_is_not_lost(alice: Player):
    """The other way round: the row that is due goes, and the event that waited for the feed makes another."""
    taken = threading.Event()

    def read() -> None:
        with transaction.atomic():
            feeds.taken([feeds.Range(alice.pk, 0, 1)], again_at={})
            taken.set()
            until_somebody_waits()

    def append() -> None:
        assert taken.wait(PATIENCE_S)
        away.ask(alice)

    together(read, append)
    assert (away.feed(alice).pushed_seq, away.is_due(alice), broken()) == (1, True, [])


def test_control_without_the_feeds_lock_it_is_lost(alice: Player):
    appended, taken = threading.Event(), threading.Event()

    def append() -> None:
        with transaction.atomic():
            away.ask(alice)
            appended.set()
            assert taken.wait(PATIENCE_S)

    def take() -> None:
        assert appended.wait(PATIENCE_S)
        assert Feed.objects.get(player=alice).seq == 1, "nothing new"
        PushDue.objects.filter(player=alice).delete()
        taken.set()

    together(append, take)
    Feed.objects.filter(player=alice).update(pushed_seq=1)
    assert (away.is_due(alice), broken()) == (False, [alice.pk])
    feeds.turn_off(alice.pk)


@pytest.fixture
def late(alice: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another event comes when the events have been read, and before it is noted that they are taken care of."""
    read = feeds.events_of

    def read_and_be_late(*args: Any, **options: Any) -> Any:
        found = read(*args, **options)
        together(lambda: away.ask(alice))
        return found

    monkeypatch.setattr(feeds, "events_of", read_and_be_late)


@pytest.mark.usefixtures("late")
def test_an_event_that_comes_after_the_others_were_read_is_not_lost(alice: Player):
    compose()
    assert (ranges(alice), away.is_due(alice), broken()) == ([(0, 1)], True, [])


@pytest.mark.usefixtures("late")
def test_control_whoever_does_not_look_at_the_number_loses_it(alice: Player, monkeypatch: pytest.MonkeyPatch):
    text = sql.text
    careless = text("fortunes", "push_taken").replace("AND fed.seq = fed.upto", "").replace("AND fed.seq >", "AND 0 >")
    monkeypatch.setattr(sql, "text", lambda app, name: careless if name == "push_taken" else text(app, name))
    compose()
    assert (ranges(alice), away.is_due(alice), broken()) == ([(0, 1)], False, [alice.pk])
    feeds.turn_off(alice.pk)


def test_of_many_who_compose_at_once_one_does(crowd: list[Player]):
    together(*[compose] * 4)
    assert [ranges(player) for player in crowd] == [[(0, 1)]] * PLAYERS
    assert broken() == []


def test_control_without_comparing_what_was_read_they_all_do(alice: Player):
    looked = threading.Barrier(4)

    def careless() -> None:
        feed = Feed.objects.get(player=alice)
        looked.wait(PATIENCE_S)
        with transaction.atomic(durable=True):
            Feed.objects.filter(player=alice).update(pushed_seq=feed.seq)
            Push.objects.create(
                player=alice, host="host", after=feed.pushed_seq, upto=feed.seq, expires_at=DatabaseNow()
            )

    together(*[careless] * 4)
    assert ranges(alice) == [(0, 1)] * 4


def test_workers_at_once_send_each_push_once(crowd: list[Player], service: Receiver):
    assert sum(together(*[pushes.send_due] * 4)) == PLAYERS
    assert sorted(news["user"] for news in service.told) == sorted(map(away.subject, crowd))
    assert len(service.arrived) == PLAYERS


def test_claims_at_once_share_the_pushes(crowd: list[Player]):
    """What holds if two send at once nevertheless: a worker whose connection broke has lost its lock."""
    compose()
    claims = together(*[claim] * 4)
    assert Counter(push.id for claimed in claims for push in claimed).most_common(1)[0][1] == 1
    assert sum(len(claimed) for claimed in claims) == PLAYERS


def test_control_without_the_claim_two_take_the_same(crowd: list[Player]):
    compose()
    looked = threading.Barrier(2)

    def careless() -> list[int]:
        due = Push.objects.filter(state=Push.State.WAITING, next_try_at__lte=DatabaseNow())
        found = list(due.values_list("pk", flat=True))
        looked.wait(PATIENCE_S)
        return found

    one, other = together(careless, careless)
    assert set(one) & set(other)


def test_a_host_that_hangs_holds_up_one_worker(crowd: list[Player], service: Receiver):
    """The others go on at once, and do what else is due."""
    hanging, released = threading.Semaphore(0), threading.Event()

    def answer(number: int) -> int:
        hanging.release()
        return 204 if released.wait(PATIENCE_S) else 500

    service.answer = answer

    def late() -> int:
        assert hanging.acquire(timeout=PATIENCE_S)
        try:
            return pushes.send_due()
        finally:
            released.set()

    assert sorted(together(pushes.send_due, late)) == [0, PLAYERS]


def test_the_lock_of_a_worker_that_died_is_free(
    crowd: list[Player], service: Receiver, monkeypatch: pytest.MonkeyPatch
):
    def die(*args: object, **options: object) -> None:
        connection.close()
        raise ConnectionError("killed")

    with monkeypatch.context() as dying:
        dying.setattr(webhooks, "send", die)
        (died,) = together(pushes.send_due)
    assert isinstance(died, ConnectionError)
    Push.objects.filter(state=Push.State.WAITING).update(next_try_at=DatabaseNow())
    assert together(pushes.send_due) == [PLAYERS]
    assert len(service.told) == PLAYERS


def test_who_signs_in_while_the_host_says_that_there_is_no_device_stays_on(alice: Player):
    compose()
    ((claimed,), locked) = claim(), threading.Event()

    def sign_in() -> None:
        with transaction.atomic():
            families.start(alice)
            notifications.let(player_id=alice.pk)
            locked.set()
            until_somebody_waits()

    def note() -> None:
        assert locked.wait(PATIENCE_S)
        pushes._note(claimed, webhooks.Outcome(gone=True, reason="gone"))

    together(sign_in, note)
    assert away.feed(alice).pushes


def test_control_whoever_does_not_look_for_a_sign_in_turns_it_off(alice: Player):
    locked = threading.Event()

    def sign_in() -> None:
        with transaction.atomic():
            notifications.let(player_id=alice.pk)
            locked.set()
            until_somebody_waits()

    def careless() -> None:
        assert locked.wait(PATIENCE_S)
        feeds.turn_off(alice.pk)

    together(sign_in, careless)
    assert not away.feed(alice).pushes


def opt_out(player: Player) -> None:
    notifications.change(player_id=player.pk, enabled=False, muted=[], quiet_from=None, quiet_to=None, tz="UTC")


def test_who_opts_out_while_signing_in_stays_out(alice: Player):
    """The opt-out has been written and waits for the feed; the sign-in comes behind it, and reads it under the lock."""
    sign_in, held, queued = threading.Event(), threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            feeds.lock(alice.pk)
            held.set()
            until_somebody_waits()
            sign_in.set()
            assert queued.wait(PATIENCE_S)
            until_two_wait()

    def out() -> None:
        assert held.wait(PATIENCE_S)
        opt_out(alice)

    def back() -> None:
        assert sign_in.wait(PATIENCE_S)
        with transaction.atomic():
            queued.set()
            notifications.let(player_id=alice.pk)

    together(hold, out, back)
    assert not away.feed(alice).pushes


def test_control_wishes_that_were_read_before_the_lock_are_old(alice: Player):
    read, out = threading.Event(), threading.Event()

    def careless() -> None:
        with transaction.atomic():
            wanted = not NotificationSettings.objects.filter(player=alice, enabled=False).exists()
            read.set()
            assert out.wait(PATIENCE_S)
            feeds.lock(alice.pk)
            if wanted:
                feeds.turn_on(alice.pk)

    def opt() -> None:
        assert read.wait(PATIENCE_S)
        opt_out(alice)
        out.set()

    together(careless, opt)
    assert away.feed(alice).pushes


def until_two_wait() -> None:
    """In a transaction that holds what two others want: the first of them, or whoever waits behind it, blocks both."""
    waiting = "SELECT count(*) AS count FROM pg_locks WHERE NOT granted"
    for _ in range(int(PATIENCE_S * 100)):
        if sql.fetch(waiting)[0].count >= 2:
            return
        connection.cursor().execute("SELECT pg_sleep(0.01)")
    raise AssertionError("they don't wait")
