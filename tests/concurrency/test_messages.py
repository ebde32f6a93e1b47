"""Text messages and the workers that send them: each is taken by one."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.db import connection

from accounts import phones, senders
from accounts.actions import codes, messages
from accounts.models import Message
from fortunes.models import DatabaseNow
from tests.accounts import gateways, texting
from tests.accounts.gateways import Gateway
from tests.concurrency.together import PATIENCE_S, together

pytestmark = pytest.mark.committed


@pytest.fixture
def numbers() -> list[str]:
    """Of twenty people who wait for their code, and nobody else does."""
    Message.objects.filter(state=Message.State.WAITING).update(state=Message.State.REPLACED, sealed=None)
    numbers = [texting.number() for _ in range(20)]
    for number in numbers:
        codes.ask(phone=number)
    return numbers


@pytest.fixture
def gateway(settings: LazySettings) -> Iterator[Gateway]:
    with gateways.running() as gateway:
        settings.SMS_SENDER, settings.SMS_GATEWAY_URL = "gateway", gateway.url
        yield gateway


def test_workers_at_once_send_each_message_once(numbers: list[str], gateway: Gateway):
    sent = together(*[messages.send_due] * 4)
    assert sum(sent) == 20
    assert sorted(message["to"] for message in gateway.arrived) == sorted(numbers)


def test_a_gateway_that_hangs_holds_up_one_worker(numbers: list[str], gateway: Gateway):
    """The others go on at once, and do what else is due."""
    hanging, released = threading.Semaphore(0), threading.Event()

    def answer(number: int) -> int:
        hanging.release()
        return 202 if released.wait(30) else 500

    gateway.answer = answer

    def late() -> int:
        assert hanging.acquire(timeout=30)
        try:
            return messages.send_due()
        finally:
            released.set()

    assert sorted(together(messages.send_due, late)) == [0, 20]


def test_claims_at_once_share_the_messages(numbers: list[str]):
    """What holds if two send at once nevertheless: a worker whose connection broke has lost its lock."""
    claims = together(*[messages._claim] * 4)
    assert Counter(row.pk for claim in claims for row in claim).most_common(1)[0][1] == 1
    assert sum(len(claim) for claim in claims) == 20


def test_control_without_the_lease_two_take_the_same(numbers: list[str]):
    looked = threading.Barrier(2)

    def claim() -> list[int]:
        due = Message.objects.filter(state=Message.State.WAITING, next_try_at__lte=DatabaseNow())
        found = list(due.order_by("next_try_at").values_list("pk", flat=True)[:16])
        looked.wait(PATIENCE_S)
        return found

    one, other = together(claim, claim)
    assert set(one) & set(other)


def test_the_lock_of_a_worker_that_died_is_free(numbers: list[str], gateway: Gateway, monkeypatch: pytest.MonkeyPatch):
    def die(*args: object, **kwargs: object) -> None:
        connection.close()
        raise ConnectionError("killed")

    with monkeypatch.context() as dying:
        dying.setattr(senders, "send", die)
        (died,) = together(messages.send_due)
    assert isinstance(died, ConnectionError)
    Message.objects.filter(state=Message.State.WAITING).update(next_try_at=DatabaseNow())
    assert together(messages.send_due) == [20]


def test_a_number_waits_for_one_message_however_many_ask():
    number = texting.number()
    together(*[lambda: codes.ask(phone=number)] * 8)
    assert Message.objects.filter(number_hash=phones.hash_of(number)).count() == 1
