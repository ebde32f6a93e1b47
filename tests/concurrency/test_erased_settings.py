"""A player who chooses how they are told of events while they are being erased."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from accounts import errors, locks
from accounts.actions import erasure, notifications
from accounts.models import NotificationSettings, Player
from tests.concurrency.together import PATIENCE_S, together, until, until_somebody_waits
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.committed


@pytest.fixture
def alice() -> Player:
    return PlayerFactory.create()


def choose_while_being_erased(alice: Player, monkeypatch: pytest.MonkeyPatch, wait: Callable[[], None]) -> Any:
    """What comes of a choice that begins when the erasure has deleted the settings; that goes on after `wait`."""
    deleted = threading.Event()
    forget = erasure._forget_names

    def forget_later(player_id: int) -> None:
        deleted.set()
        wait()
        forget(player_id)

    def choose() -> Any:
        assert deleted.wait(PATIENCE_S)
        return notifications.change(
            player_id=alice.pk, enabled=True, muted=[], quiet_from=None, quiet_to=None, tz="Asia/Shanghai"
        )

    monkeypatch.setattr(erasure, "_forget_names", forget_later)
    erased, chosen = together(partial(erasure.erase, player_id=alice.pk, by=alice.pk), choose)
    assert erased is None
    return chosen


def test_a_choice_waits_for_the_erasure_of_its_player(alice: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = choose_while_being_erased(alice, monkeypatch, until_somebody_waits)
    assert isinstance(outcome, errors.TokenInvalid)
    assert not NotificationSettings.objects.filter(player=alice).exists()


def test_control_without_that_lock_a_choice_outlives_its_player(alice: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = locks.Locked(alice.public_id, 0, erased=False)
    unlocked = SimpleNamespace(of=lambda players: dict.fromkeys(players, seen))
    monkeypatch.setattr(notifications, "locks", unlocked)
    chosen = NotificationSettings.objects.filter(player=alice)
    choose_while_being_erased(alice, monkeypatch, partial(until, chosen.exists))
    assert chosen.exists()
    chosen.delete()
