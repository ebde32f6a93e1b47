"""Five wrong passwords from one network, or fifty from everywhere, and nothing more is judged."""

from __future__ import annotations

import contextlib
import secrets
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.test import Client
from rest_framework.test import APIClient

from accounts import errors, hashing, lockouts
from accounts.actions import housekeeping, players, sessions
from accounts.models import Lockout, Player
from fortunes.errors import Busy
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

PASSWORD = "six lucky carps"
HERE, THERE = "198.51.100.1", "198.51.100.2"
MOST = lockouts.FROM_ONE_NETWORK.most
LOCKED = timedelta(seconds=lockouts.FROM_ONE_NETWORK.lock_s)
MOMENT = timedelta(seconds=1)


@pytest.fixture
def alice() -> Player:
    return PlayerFactory.create(password=PASSWORD)


def _try(username: str, password: str = "wrong", network: str = HERE) -> Any:
    try:
        return sessions.sign_in(username=username, password=password, network=network)
    except errors.DomainError as refused:
        return type(refused)


def _use_up(username: str, network: str = HERE) -> None:
    assert [_try(username, network=network) for _ in range(MOST)] == [errors.WrongCredentials] * MOST


def test_after_five_wrong_tries_the_right_one_is_not_judged_either(alice: Player):
    _use_up(alice.username)
    with pytest.raises(errors.LockedOut) as refused:
        sessions.sign_in(username=alice.username, password=PASSWORD, network=HERE)
    assert 14 * 60 < (refused.value.retry_after_s or 0) <= 15 * 60


def test_no_hash_is_spent_on_who_is_locked_out(alice: Player, monkeypatch: pytest.MonkeyPatch):
    _use_up(alice.username)
    hashed: list[str] = []
    monkeypatch.setattr(hashers, "make_password", lambda *args: hashed.append("made"))
    monkeypatch.setattr(Player, "check_password", lambda *args: hashed.append("checked"))
    for username in (alice.username, alice.username.upper()):
        assert _try(username, PASSWORD) is errors.LockedOut
    assert hashed == []


def test_it_ends_after_a_quarter_of_an_hour_and_begins_anew(alice: Player, clock: Clock):
    _use_up(alice.username)
    clock.shift(LOCKED - MOMENT * 10)
    assert _try(alice.username, PASSWORD) is errors.LockedOut
    clock.shift(MOMENT * 11)
    _use_up(alice.username)
    assert _try(alice.username) is errors.LockedOut


def test_tries_are_forgotten_when_their_window_is_over(alice: Player, clock: Clock):
    for _ in range(MOST - 1):
        _try(alice.username)
    clock.shift(LOCKED + MOMENT)
    _use_up(alice.username)


def test_the_right_password_begins_the_count_anew(alice: Player):
    for _ in range(3):
        for _ in range(MOST - 1):
            assert _try(alice.username) is errors.WrongCredentials
        assert _try(alice.username, PASSWORD).tokens


def test_guessers_do_not_lock_out_the_player_at_home(alice: Player):
    _use_up(alice.username, HERE)
    assert _try(alice.username, PASSWORD, THERE).tokens
    assert _try(alice.username, PASSWORD, HERE) is errors.LockedOut


def test_other_players_at_the_same_place_are_not_touched(alice: Player):
    _use_up(alice.username)
    bob = PlayerFactory.create(password=PASSWORD)
    assert _try(bob.username, PASSWORD).tokens


def test_fifty_wrong_ones_from_everywhere(alice: Player, clock: Clock):
    outcomes = [_try(alice.username, network=f"203.0.113.{number}") for number in range(60)]
    assert outcomes == [errors.WrongCredentials] * 50 + [errors.LockedOut] * 10
    assert _try(alice.username, PASSWORD, "192.0.2.1") is errors.LockedOut
    clock.shift(timedelta(hours=1) + MOMENT)
    assert _try(alice.username, PASSWORD, "192.0.2.1").tokens


def test_a_right_one_does_not_hide_who_guesses_from_everywhere(alice: Player):
    for number in range(50):
        _try(alice.username, network=f"203.0.113.{number}")
        if number < 49:
            assert _try(alice.username, PASSWORD, HERE).tokens
    assert _try(alice.username, PASSWORD, HERE) is errors.LockedOut


def test_an_unknown_username_is_locked_out_alike(clock: Clock):
    nobody = f"nobody-{secrets.token_hex(4)}"
    _use_up(nobody)
    assert _try(nobody) is errors.LockedOut


def test_over_rest_it_says_how_long():
    username = f"nobody-{secrets.token_hex(4)}"
    client = APIClient(REMOTE_ADDR="2001:db8:0:1::7")
    body = {"username": username, "password": "wrong"}
    answers = [client.post("/api/v1/sessions", body, format="json") for _ in range(MOST + 1)]
    assert [answer.status_code for answer in answers] == [401] * MOST + [429]
    assert answers[-1].json()["code"] == "locked-out"
    assert 14 * 60 < int(answers[-1].headers["Retry-After"]) <= 15 * 60
    neighbour = APIClient(REMOTE_ADDR="2001:db8:0:1:ffff::8").post("/api/v1/sessions", body, format="json")
    assert neighbour.json()["code"] == "locked-out"


def test_nobody_can_read_from_the_table_who_was_tried(alice: Player):
    _try(alice.username)
    for row in Lockout.objects.all():
        assert len(row.subject) == 32
        assert alice.username not in repr(vars(row))


def test_counts_are_swept(alice: Player, clock: Clock):
    _try(alice.username)
    clock.shift(timedelta(hours=2))
    assert housekeeping.forget_old() >= 2
    assert not Lockout.objects.exists()


class TestAdmin:
    """The same counts, so that the two doors have one lock."""

    def _sign_in(self, username: str, password: str) -> Any:
        form = {"username": username, "password": password, "next": "/admin/"}
        return Client().post("/admin/login/", form, REMOTE_ADDR=HERE)

    @pytest.fixture
    def boss(self) -> Player:
        return PlayerFactory.create(password=PASSWORD, is_staff=True, is_superuser=True)

    def test_staff_come_in(self, boss: Player):
        answer = self._sign_in(boss.username.upper(), PASSWORD)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")

    def test_wrong_passwords_lock_out(self, boss: Player):
        for _ in range(MOST):
            assert b"Too many wrong tries" not in self._sign_in(boss.username, "wrong").content
        assert b"Too many wrong tries" in self._sign_in(boss.username, PASSWORD).content
        assert _try(boss.username, PASSWORD) is errors.LockedOut

    def test_who_is_locked_out_of_the_api_is_out_here_too(self, boss: Player):
        _use_up(boss.username)
        assert self._sign_in(boss.username, PASSWORD).status_code == 200

    def test_who_is_shut_out_stays_out(self, boss: Player):
        Player.objects.filter(pk=boss.pk).update(is_active=False)
        assert self._sign_in(boss.username, PASSWORD).status_code == 200


class TestHashing:
    def test_so_many_at_once_and_the_others_are_told_to_come_again(self, alice: Player):
        with contextlib.ExitStack() as taken:
            with pytest.raises(Busy):
                while True:
                    taken.enter_context(hashing.place())
            assert _try(alice.username) is Busy
            with pytest.raises(Busy) as refused:
                players.sign_up(username=f"p-{secrets.token_hex(4)}", password=PASSWORD)
            assert refused.value.retry_after_s == 1
        assert not Lockout.objects.exists(), "who finds no place has not tried"
        assert _try(alice.username, PASSWORD).tokens
