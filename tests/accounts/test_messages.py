"""Text messages leave after the commit, however the gateway behaves."""

from __future__ import annotations

import hmac
import io
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from accounts import errors, otp, phones, senders
from accounts.actions import codes, housekeeping, messages
from accounts.models import Message
from fortunes import clock as database_clock
from fortunes import deadletters
from fortunes.models import AuditEntry, DeadLetter
from tests.accounts import gateways, texting
from tests.accounts.gateways import Gateway
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

State = Message.State


@pytest.fixture(scope="module")
def service() -> Iterator[Gateway]:
    with gateways.running() as gateway:
        yield gateway


@pytest.fixture
def gateway(service: Gateway, settings: LazySettings) -> Gateway:
    settings.SMS_SENDER, settings.SMS_GATEWAY_URL = "gateway", service.url
    service.arrived.clear()
    service.answer = lambda number: 202
    return service


@pytest.fixture
def number() -> str:
    return texting.number()


def _row(number: str) -> Message:
    return Message.objects.filter(number_hash=phones.hash_of(number)).latest("pk")


def _asked(number: str) -> Message:
    codes.ask(phone=number)
    return _row(number)


def test_a_code_is_sent_and_forgotten(gateway: Gateway, number: str):
    row = _asked(number)
    assert gateway.arrived == []
    assert messages.send_due() == 1
    assert codes.sign_in(phone=number, code=gateway.code(number)).tokens.access
    row.refresh_from_db()
    assert (row.state, row.sealed, row.attempts) == (State.SENT, None, 1)
    assert row.sent_at is not None
    assert messages.send_due() == 0


def test_what_the_gateway_gets(gateway: Gateway, number: str, settings: LazySettings):
    row = _asked(number)
    messages.send_due()
    (message,) = gateway.arrived
    assert (message["id"], message["to"]) == (str(row.public_id), number)
    headers = {name.lower(): value for name, value in message["headers"].items()}
    assert headers["idempotency-key"] == str(row.public_id)
    assert headers["content-type"] == "application/json"
    moment, key_id, value = (part.partition("=")[2] for part in headers["fortunes-signature"].split(","))
    assert abs(int(moment) - database_clock.now().timestamp()) < 60
    signed = f"{moment}.".encode() + message["body"]
    assert value == hmac.digest(settings.MESSAGE_KEYS[key_id], signed, "sha256").hex()


def test_nothing_is_sent_of_a_transaction_that_fails(gateway: Gateway, number: str):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        expires_at = database_clock.now() + timedelta(minutes=5)
        messages.write(number=number, number_hash=phones.hash_of(number), text="x", expires_at=expires_at)
        raise ZeroDivisionError
    assert messages.send_due() == 0
    assert gateway.arrived == []


@pytest.mark.parametrize("status", [500, 503, 429, 409, 408, 302])
def test_a_failure_that_may_pass_is_tried_again(gateway: Gateway, number: str, clock: Clock, status: int):
    gateway.answer = lambda number: status if number == 1 else 202
    row = _asked(number)
    assert messages.send_due() == 0
    row.refresh_from_db()
    assert (row.state, row.attempts, row.last_error) == (State.WAITING, 1, f"the gateway answered {status}")
    assert messages.send_due() == 0, "it waits"
    clock.shift(timedelta(seconds=2))
    assert messages.send_due() == 1
    first, second = gateway.arrived
    assert first["id"] == second["id"]
    assert first["body"] == second["body"]


def test_a_gateway_that_hangs_holds_nobody_up_for_ever(
    gateway: Gateway, number: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    released = threading.Event()
    gateway.answer = lambda number: 202 if released.wait(60) else 500
    monkeypatch.setattr(senders, "TIMEOUT_S", 0.3)
    row = _asked(number)
    assert messages.send_due() == 0
    released.set()
    row.refresh_from_db()
    assert (row.state, row.last_error) == (State.WAITING, "the gateway can't be reached: TimeoutError")
    clock.shift(timedelta(seconds=2))
    assert messages.send_due() == 1
    assert len({message["id"] for message in gateway.arrived}) == 1


def test_a_gateway_that_hangs_up(gateway: Gateway, number: str):
    gateway.answer = lambda number: 0
    row = _asked(number)
    messages.send_due()
    row.refresh_from_db()
    assert row.last_error == "the gateway can't be reached: RemoteProtocolError"


def test_an_address_where_nobody_is(gateway: Gateway, number: str, settings: LazySettings):
    settings.SMS_GATEWAY_URL = "http://127.0.0.1:1/texts"
    row = _asked(number)
    messages.send_due()
    row.refresh_from_db()
    assert row.last_error == "the gateway can't be reached: ConnectError"


def test_many_leave_at_once(gateway: Gateway):
    met = threading.Barrier(senders.AT_ONCE)
    gateway.answer = lambda number: 202 if met.wait(30) >= 0 else 500
    numbers = [texting.number() for _ in range(2 * senders.AT_ONCE)]
    for number in numbers:
        codes.ask(phone=number)
    assert messages.send_due() == len(numbers)
    assert sorted(message["to"] for message in gateway.arrived) == sorted(numbers)


def test_what_the_gateway_refuses_is_given_up_at_once(gateway: Gateway, number: str):
    gateway.answer = lambda number: 400
    row = _asked(number)
    messages.send_due()
    row.refresh_from_db()
    letter = DeadLetter.objects.get(job=messages.JOB, subject_id=row.pk)
    assert (row.state, row.attempts, letter.error) == (State.GIVEN_UP, 1, "the gateway answered 400")


def test_after_six_tries_it_is_given_up_and_can_be_taken_up_again(gateway: Gateway, number: str, clock: Clock):
    gateway.answer = lambda number: 500
    row = _asked(number)
    for _ in range(messages.MOST_ATTEMPTS + 3):
        messages.send_due()
        clock.shift(timedelta(seconds=16))
    row.refresh_from_db()
    assert (row.state, row.attempts) == (State.GIVEN_UP, messages.MOST_ATTEMPTS)
    assert len(gateway.arrived) == messages.MOST_ATTEMPTS

    boss, letter = PlayerFactory.create(is_staff=True), DeadLetter.objects.get(job=messages.JOB, subject_id=row.pk)
    gateway.answer = lambda number: 202
    deadletters.revive(letter_id=letter.pk, by=boss.pk)
    assert messages.send_due() == 1
    assert codes.sign_in(phone=number, code=gateway.code(number)).tokens.access
    assert AuditEntry.objects.latest("seq").action == "dead_letter.revived"


def test_what_is_given_up_and_too_late_stays_so_and_is_erased(gateway: Gateway, number: str, clock: Clock):
    gateway.answer = lambda number: 400
    row = _asked(number)
    messages.send_due()
    clock.shift(timedelta(seconds=otp.LIFE_S + 1))
    housekeeping.forget_old()
    row.refresh_from_db()
    assert row.sealed is None
    letter = DeadLetter.objects.get(job=messages.JOB, subject_id=row.pk)
    with pytest.raises(errors.MessageWorthless):
        deadletters.revive(letter_id=letter.pk, by=PlayerFactory.create(is_staff=True).pk)


def test_a_code_that_is_too_late_is_not_sent(gateway: Gateway, number: str, clock: Clock):
    row = _asked(number)
    clock.shift(timedelta(seconds=otp.LIFE_S + 1))
    assert messages.send_due() == 0
    row.refresh_from_db()
    assert (row.state, row.sealed, gateway.arrived) == (State.EXPIRED, None, [])
    assert DeadLetter.objects.get(job=messages.JOB, subject_id=row.pk).error == "too late to be sent"


def test_a_code_that_was_replaced_is_not_sent(gateway: Gateway, number: str, clock: Clock):
    _asked(number)
    clock.shift(timedelta(seconds=otp.PAUSE_S + 1))
    newer = _asked(number)
    assert messages.send_due() == 1
    assert [message["id"] for message in gateway.arrived] == [str(newer.public_id)]


def test_what_was_replaced_while_it_was_sent_stays_replaced(gateway: Gateway, number: str, clock: Clock):
    row = _asked(number)
    (claimed,) = messages._claim()
    clock.shift(timedelta(seconds=otp.PAUSE_S + 1))
    _asked(number)
    messages._note(claimed, None)
    row.refresh_from_db()
    assert (row.state, row.sealed) == (State.REPLACED, None)


def test_a_message_of_a_worker_that_died_is_sent_again_under_its_id(gateway: Gateway, number: str, clock: Clock):
    row = _asked(number)
    (claimed,) = messages._claim()
    message = messages._outgoing(claimed)
    assert message is not None
    senders.send(senders.chosen(), [message], at=database_clock.now())
    assert messages.send_due() == 0, "it is leased"
    clock.shift(timedelta(seconds=messages.LEASE_S + 1))
    assert messages.send_due() == 1
    assert [message["id"] for message in gateway.arrived] == [str(row.public_id)] * 2


def test_what_was_replaced_is_not_given_up(gateway: Gateway, number: str, clock: Clock):
    row = _asked(number)
    (claimed,) = messages._claim()
    clock.shift(timedelta(seconds=otp.PAUSE_S + 1))
    _asked(number)
    messages._note(claimed, senders.Failure("the gateway answered 400", final=True))
    assert not DeadLetter.objects.filter(job=messages.JOB, subject_id=row.pk).exists()


def test_a_task_that_has_worked_long_enough_leaves_the_rest_to_the_next(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(messages, "BATCH", 2)
    for _ in range(3):
        codes.ask(phone=texting.number())
    assert messages.send_due(budget_s=0) == 2
    assert messages.send_due(budget_s=0) == 1


def test_one_that_nobody_can_read_does_not_stop_the_others(gateway: Gateway, number: str, settings: LazySettings):
    lost = _asked(number)
    settings.PHONE_ENCRYPTION_KEYS = {"k2": b"e" * 32}
    codes.ask(phone=texting.number())
    assert messages.send_due() == 1
    lost.refresh_from_db()
    assert (lost.state, lost.last_error) == (State.GIVEN_UP, "sealed with a key that is missing")


def test_a_worker_without_keys_says_so_and_takes_nothing(gateway: Gateway, number: str, settings: LazySettings):
    row = _asked(number)
    settings.MESSAGE_KEYS = {}
    with pytest.raises(ImproperlyConfigured, match="message_keys"):
        messages.send_due()
    row.refresh_from_db()
    assert (row.state, row.attempts) == (State.WAITING, 0)


def test_the_console_says_it_aloud(settings: LazySettings, number: str):
    said = io.StringIO()
    message = senders.Outgoing(id=_asked(number).public_id, to=number, text="福 123456")
    assert senders.send(senders.Console(said), [message], at=database_clock.now()) == [None]
    assert said.getvalue() == f"text message to {number}: 福 123456\n"
    settings.SMS_SENDER = "console"
    assert isinstance(senders.chosen(), senders.Console)


def test_yesterdays_messages_are_deleted(gateway: Gateway, number: str, clock: Clock):
    row = _asked(number)
    messages.send_due()
    clock.shift(timedelta(days=1, minutes=1))
    assert housekeeping.forget_old() >= 1
    assert not Message.objects.filter(pk=row.pk).exists()
