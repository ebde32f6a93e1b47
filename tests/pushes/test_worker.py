"""Pushes and real workers: one is killed while the host has its push and hasn't answered; and what the logs tell."""

from __future__ import annotations

import json
import os
import secrets
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.actions import pushes
from accounts.models import Player, Push
from fortunes import pushes as feeds
from fortunes.models import Feed
from tests.plugins.clock import Clock
from tests.pushes import away, receivers
from tests.pushes.receivers import Receiver
from tests.redpackets import test_worker as processes

pytestmark = [pytest.mark.committed, pytest.mark.slow]


@pytest.fixture
def service(committed_db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Receiver]:
    """A push service for the workers that the test starts; nobody sleeps."""
    for player in Feed.objects.filter(pushes=True).values_list("player_id", flat=True):
        feeds.turn_off(player)
    with receivers.running() as receiver:
        monkeypatch.setenv("FEDERATION_FILE", away.configured(tmp_path, receiver.url))
        monkeypatch.setenv("PUSH_QUIET_HOURS", "")
        monkeypatch.setenv("LOG_LEVEL", "DEBUG")
        yield receiver


@pytest.fixture
def alice(service: Receiver, settings: Settings) -> Player:
    settings.DEBUG, settings.FEDERATION_FILE = True, os.environ["FEDERATION_FILE"]
    return away.arrived(nickname=f"canary-{secrets.token_hex(4)}")


def row(player: Player) -> Push:
    return Push.objects.filter(player=player).latest("pk")


def test_what_a_killed_worker_had_in_hand_is_sent_under_the_same_id(
    service: Receiver, alice: Player, clock: Clock, tmp_path: Path
) -> None:
    released = threading.Event()
    service.answer = lambda count: 204 if count > 1 or released.wait(60) else 500
    away.ask(alice)
    with processes.beat(tmp_path, "beat"):
        with processes.worker(tmp_path) as doomed:
            processes.eventually(lambda: len(service.arrived) == 1)
            os.killpg(doomed.pid, signal.SIGKILL)
            doomed.wait()
        released.set()
        assert row(alice).state == Push.State.WAITING
        away.ask(alice)
        clock.shift(timedelta(seconds=pushes.LEASE_S + 1))
        with processes.worker(tmp_path):
            processes.eventually(lambda: len(service.told_to(away.subject(alice))) == 2)
            processes.eventually(lambda: not Push.objects.filter(player=alice, state=Push.State.WAITING).exists())
    first, *others = service.ids
    assert others.count(first) == 1, "once more, and under its id"
    assert len(service.arrived) == 3
    assert sorted(event["seq"] for event in service.told_to(away.subject(alice))) == [1, 2]
    assert away.broken() == []


def test_no_word_of_a_person_leaves_and_none_is_logged(service: Receiver, alice: Player, tmp_path: Path) -> None:
    """The first try of each push fails, so that failures are logged as well."""
    seen: set[str] = set()

    def answer(number: int) -> int:
        push = service.arrived[number - 1].news["id"]
        return 204 if push in seen else seen.add(push) or 503

    service.answer = answer
    away.ask(alice)
    with processes.worker(tmp_path), processes.beat(tmp_path, "beat"):
        processes.eventually(lambda: Push.objects.filter(player=alice, state=Push.State.SENT).exists())
    log = (tmp_path / "celery.log").read_text()
    assert "the push service of host fails: the push service answered 503" in log
    signatures = [delivery.headers["fortunes-signature"].rpartition("v=")[2] for delivery in service.arrived]
    for word in (alice.nickname, alice.username, away.subject(alice), *signatures):
        assert word not in log
    for delivery in service.arrived:
        sent = json.dumps(delivery.headers) + delivery.body.decode()
        assert alice.nickname not in sent and alice.username not in sent
        assert away.subject(alice) in sent
