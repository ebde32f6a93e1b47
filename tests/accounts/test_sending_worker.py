"""Messages and real workers: one is killed while the gateway has its message and hasn't answered."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from accounts import phones
from accounts.actions import codes, messages
from accounts.models import Message
from tests.accounts import gateways, texting
from tests.accounts.gateways import Gateway
from tests.plugins.clock import Clock
from tests.redpackets import test_worker as processes

pytestmark = [pytest.mark.committed, pytest.mark.slow]


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    with gateways.running() as gateway:
        monkeypatch.setenv("SMS_SENDER", "gateway")
        monkeypatch.setenv("SMS_GATEWAY_URL", gateway.url)
        yield gateway


def test_what_a_killed_worker_had_in_hand_is_sent_under_the_same_id(
    gateway: Gateway, clock: Clock, tmp_path: Path
) -> None:
    number, released = texting.number(), threading.Event()

    def answer(count: int) -> int:
        return 202 if count > 1 or released.wait(60) else 500

    gateway.answer = answer
    codes.ask(phone=number)
    mine = Message.objects.filter(number_hash=phones.hash_of(number))
    with processes.beat(tmp_path, "beat"):
        with processes.worker(tmp_path) as doomed:
            processes.eventually(lambda: number in [message["to"] for message in gateway.arrived])
            os.killpg(doomed.pid, signal.SIGKILL)
            doomed.wait()
        released.set()
        assert mine.get().state == Message.State.WAITING
        clock.shift(timedelta(seconds=messages.LEASE_S + 1))
        with processes.worker(tmp_path):
            processes.eventually(lambda: mine.get().state == Message.State.SENT)

    got = [message["id"] for message in gateway.arrived if message["to"] == number]
    assert got == [str(mine.get().public_id)] * 2
    assert codes.sign_in(phone=number, code=gateway.code(number)).tokens.access
