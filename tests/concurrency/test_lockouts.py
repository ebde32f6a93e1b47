"""Guessing in parallel: exactly so many are judged. Each with a control."""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from accounts import errors, lockouts, otp, phones
from accounts.actions import bans, codes, housekeeping, sessions
from accounts.models import Ban, Lockout, Phone, PhoneCode, Player
from fortunes import clock as database_clock
from fortunes.errors import Busy
from fortunes.models import AuditEntry
from tests.accounts import texting
from tests.concurrency.together import PATIENCE_S, patiently, together
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.committed

HERE = "198.51.100.1"


def _kinds(outcomes: list[Any]) -> Counter[str]:
    return Counter(type(outcome).__name__ for outcome in outcomes)


def _count_comparisons(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every code that is compared."""
    compared: list[str] = []
    monkeypatch.setattr(codes.otp, "is_right", lambda typed, *args, **kwargs: bool(compared.append(typed)))
    return compared


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password that is looked at; nothing is hashed, so that a hundred threads are in it at once."""
    looked_at: list[str] = []
    monkeypatch.setattr(Player, "check_password", lambda player, password: bool(looked_at.append(password)))
    monkeypatch.setattr(sessions.hashing, "_places", threading.BoundedSemaphore(100))
    return looked_at


def test_of_100_wrong_passwords_at_once_five_are_judged(judged: list[str]):
    alice = PlayerFactory.create(password="six lucky carps")

    def guess() -> Any:
        return sessions.sign_in(username=alice.username, password="wrong", network=HERE)

    outcomes = together(*[guess] * 100)
    assert _kinds(outcomes) == {"WrongCredentials": 5, "LockedOut": 95}
    assert len(judged) == 5


def test_of_100_from_as_many_networks_fifty_are_judged(judged: list[str]):
    alice = PlayerFactory.create(password="six lucky carps")

    def guess(number: int) -> Any:
        return lambda: sessions.sign_in(username=alice.username, password="wrong", network=f"2001:db8:{number}::/64")

    outcomes = together(*[guess(number) for number in range(100)])
    assert _kinds(outcomes) == {"WrongCredentials": 50, "LockedOut": 50}
    assert len(judged) == 50


def test_control_counted_afterwards_all_are_judged(judged: list[str], monkeypatch: pytest.MonkeyPatch):
    """As one would write it: look how many were wrong, judge, and count if it was wrong again."""
    alice, looked = PlayerFactory.create(password="six lucky carps"), threading.Barrier(20)

    def look(username: str, network: str) -> lockouts.Try:
        subject = lockouts._subject("password", username, network)
        row = Lockout.objects.filter(pk=subject).first()
        looked.wait(PATIENCE_S)
        if row is not None and row.tries >= lockouts.FROM_ONE_NETWORK.most:
            raise errors.LockedOut
        lockouts._take(subject, lockouts.Limit(1000, 60, 60))
        return lockouts.Try(subject, subject)

    monkeypatch.setattr(lockouts, "take", look)
    outcomes = together(*[lambda: sessions.sign_in(username=alice.username, password="x", network=HERE)] * 20)
    assert _kinds(outcomes) == {"WrongCredentials": 20}
    assert len(judged) == 20


def test_of_100_wrong_codes_at_once_five_are_judged(monkeypatch: pytest.MonkeyPatch):
    number = texting.number()
    wrong = texting.another(texting.ask(number))
    compared = _count_comparisons(monkeypatch)
    outcomes = together(*[partial(patiently, partial(codes.sign_in, phone=number, code=wrong))] * 100)
    assert _kinds(outcomes) == {"WrongCode": 5, "LockedOut": 95}
    assert len(compared) == 5
    assert not Phone.objects.filter(number_hash=phones.hash_of(number)).exists()


def test_control_without_reserving_more_codes_are_judged(monkeypatch: pytest.MonkeyPatch):
    number = texting.number()
    wrong, looked = texting.another(texting.ask(number)), threading.Barrier(20)

    def look(number_hash: bytes) -> PhoneCode:
        row = PhoneCode.objects.get(number_hash=number_hash)
        looked.wait(PATIENCE_S)
        if row.tries >= otp.MOST_TRIES:
            raise errors.LockedOut
        PhoneCode.objects.filter(pk=row.pk).update(tries=row.tries + 1)
        return row

    monkeypatch.setattr(codes, "_try", look)
    compared = _count_comparisons(monkeypatch)
    outcomes = together(*[lambda: codes.sign_in(phone=number, code=wrong)] * 20)
    assert _kinds(outcomes) == {"WrongCode": 20}
    assert len(compared) == 20


def test_one_code_signs_in_once_and_makes_one_player():
    number = texting.number()
    code = texting.ask(number)
    outcomes = together(*[lambda: codes.sign_in(phone=number, code=code)] * otp.MOST_TRIES)
    assert _kinds(outcomes) == {"SessionAnswer": 1, "CodeSpent": otp.MOST_TRIES - 1}
    assert Phone.objects.filter(number_hash=phones.hash_of(number)).count() == 1


def test_control_a_code_that_is_only_looked_at_makes_many_players(monkeypatch: pytest.MonkeyPatch):
    """Without spending it under its lock: the constraint on the number is the second line."""
    number = texting.number()
    code, looked = texting.ask(number), threading.Barrier(4)
    real = phones.find

    def find(number: str) -> Player | None:
        found = real(number)
        looked.wait(PATIENCE_S)
        return found

    monkeypatch.setattr(codes.phones, "find", find)
    monkeypatch.setattr(codes.sql, "execute", lambda statement, params=None: 1)
    attached: list[int] = []
    monkeypatch.setattr(codes.phones, "attach", lambda player_id, number: attached.append(player_id))
    outcomes = together(*[lambda: codes.sign_in(phone=number, code=code)] * 4)
    assert _kinds(outcomes) == {"SessionAnswer": 4}
    assert len(set(attached)) == 4


def test_of_many_who_ask_at_once_one_gets_a_code():
    number = texting.number()
    outcomes = together(*[lambda: codes.ask(phone=number)] * 20)
    assert _kinds(outcomes) == {"PhoneCodeAnswer": 1, "CodesTooOften": 19}
    assert len(texting.code_for(number)) == 6


def test_control_a_look_before_the_upsert_lets_many_ask():
    number_hash, looked = phones.hash_of(texting.number()), threading.Barrier(4)
    now = database_clock.now()
    row = {"code_hash": b"x", "key_id": "k1", "asked_at": now, "expires_at": now, "day_began_at": now}

    def ask() -> str:
        if PhoneCode.objects.filter(number_hash=number_hash, asked_at__gt=now - timedelta(minutes=1)).exists():
            raise errors.CodesTooOften
        looked.wait(PATIENCE_S)
        PhoneCode.objects.update_or_create(number_hash=number_hash, defaults=row)
        return otp.new()

    assert _kinds(together(*[ask] * 4)) == {"str": 4}


def test_of_many_who_ban_and_let_in_at_once_one_does():
    alice, staff = PlayerFactory.create(), PlayerFactory.create_batch(8, is_staff=True)
    banned = together(*[lambda by=by.pk: bans.ban(player_id=alice.pk, by=by, reason=Ban.Reason.FARM) for by in staff])
    assert _kinds(banned) == {"Ban": 1, "AlreadyBanned": 7}
    lifted = together(*[lambda by=by.pk: bans.unban(player_id=alice.pk, by=by) for by in staff])
    assert _kinds(lifted) == {"Ban": 1, "NotBanned": 7}
    assert AuditEntry.objects.filter(subject="accounts.player", subject_id=alice.pk).count() == 2
    assert Ban.objects.filter(player=alice).count() == 1


def test_control_a_ban_after_a_look_is_written_many_times():
    """The constraint is the second line, and makes the losers crash."""
    alice, boss, looked = PlayerFactory.create(), PlayerFactory.create(is_staff=True), threading.Barrier(4)

    def ban() -> Ban:
        assert Player.objects.filter(pk=alice.pk, is_active=True).exists()
        looked.wait(PATIENCE_S)
        return Ban.objects.create(player=alice, by=boss, reason=Ban.Reason.FARM)

    assert _kinds(together(*[ban] * 4)) == {"Ban": 1, "IntegrityError": 3}
    Ban.objects.filter(player=alice).delete()


def test_hashing_has_so_many_places(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sessions.hashing, "_places", threading.BoundedSemaphore(3))
    inside, leave = threading.Semaphore(0), threading.Event()

    def hold(player: Player, password: str) -> bool:
        inside.release()
        return not leave.wait(30)

    monkeypatch.setattr(Player, "check_password", hold)
    people = PlayerFactory.create_batch(3, password="six lucky carps")

    def late() -> Any:
        for _ in range(3):
            assert inside.acquire(timeout=30)
        try:
            return sessions.sign_in(username=f"nobody-{secrets.token_hex(4)}", password="x", network=HERE)
        finally:
            leave.set()

    tries = [
        lambda name=player.username: sessions.sign_in(username=name, password="x", network=HERE) for player in people
    ]
    *judged, refused = together(*tries, late)
    assert _kinds(judged) == {"WrongCredentials": 3}
    assert isinstance(refused, Busy)


def test_the_sweep_leaves_a_count_that_is_used_again():
    """It was over when the sweep looked, and isn't when it gets there: it must neither wait for it nor delete it."""
    alice, held, done = PlayerFactory.create(), threading.Event(), threading.Event()
    subject = lockouts._subject("password", alice.username)
    Lockout.objects.create(subject=subject, tries=5, ends_at=database_clock.now() - timedelta(minutes=1))

    def guess() -> None:
        with transaction.atomic():
            lockouts._take(subject, lockouts.FROM_EVERYWHERE)
            held.set()
            assert done.wait(30)

    def sweep() -> None:
        assert held.wait(30)
        try:
            housekeeping.forget_old()
        finally:
            done.set()

    assert together(guess, sweep) == [None, None]
    assert Lockout.objects.get(pk=subject).tries == 1
