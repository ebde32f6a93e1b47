"""No phone, token, code or password in any log, however much is logged: real processes, and a gateway that fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from accounts import phones
from accounts.models import Message
from tests.accounts import gateways, texting
from tests.accounts.gateways import Gateway
from tests.realtime import servers
from tests.realtime.servers import Server
from tests.redpackets import test_worker as processes

pytestmark = [pytest.mark.committed, pytest.mark.slow]

PASSWORD = "canary-password-7531"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with gateways.running() as gateway:
        # The first try of every message fails, so that failures are logged as well.
        seen: set[str] = set()

        def answer(number: int) -> int:
            message = gateway.arrived[number - 1]["id"]
            return 202 if message in seen else seen.add(message) or 503

        gateway.answer = answer
        yield gateway


@pytest.fixture
def environment(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SMS_SENDER": "gateway", "SMS_GATEWAY_URL": gateway.url, "LOG_LEVEL": "DEBUG"}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def web(environment: None, django_db_setup: None, tmp_path: Path) -> Iterator[Server]:
    with servers.running(tmp_path / "web.log") as server:
        yield server


@pytest.fixture
def _worker_and_beat(environment: None, tmp_path: Path) -> Iterator[None]:
    with processes.worker(tmp_path), processes.beat(tmp_path, "beat"):
        yield


def _post(server: Server, path: str, token: str = "", **body: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.post(f"{server.url}/api/v1/{path}", json=body, headers=headers, trust_env=False, timeout=30)


@pytest.mark.usefixtures("_worker_and_beat")
def test_logs_tell_nothing_of_a_person(web: Server, gateway: Gateway, tmp_path: Path) -> None:
    number, username = texting.number(), f"canary-{texting.number()[-8:]}"
    assert _post(web, "phone-codes", phone=number).status_code == 202
    processes.eventually(lambda: Message.objects.get(number_hash=phones.hash_of(number)).state == Message.State.SENT)
    code = gateway.code(number)

    answers = [
        _post(web, "phone-codes", phone=number),
        _post(web, "phone-codes", phone=f"{number}0"),
        _post(web, "sessions/phone", phone=number, code=texting.another(code)),
        _post(web, "sessions/phone", phone=number, code=code),
        _post(web, "sessions/phone", phone=number, code=code),
        _post(web, "players", username=username, password=PASSWORD),
        _post(web, "sessions", username=username, password=f"{PASSWORD}x"),
    ]
    assert [answer.status_code for answer in answers] == [429, 422, 401, 201, 401, 201, 401]
    tokens = answers[3].json()["tokens"]
    assert _post(web, "sessions/refresh", refresh=tokens["refresh"]).status_code == 200
    assert _post(web, "sessions/refresh", refresh=tokens["refresh"]).status_code == 401
    _post(web, "friendships", token=f"{tokens['access']}x", username=username)

    logs = {path.name: path.read_text() for path in tmp_path.glob("*.log")}
    assert set(logs) == {"web.log", "celery.log"}
    assert all(logs.values()), "nothing was logged, so nothing was tested"
    # Digits alone may be a part of any long number.
    assert not [name for name, text in logs.items() if re.search(rf"(?<![0-9a-f]){code}(?![0-9a-f])", text)]
    secrets = [number, number[3:], PASSWORD, tokens["access"], tokens["refresh"], tokens["refresh"].partition(".")[2]]
    assert not [(name, secret) for name, text in logs.items() for secret in secrets if secret in text]


def test_control_the_console_says_what_the_canary_looks_for(
    django_db_setup: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the operator has chosen that: `./dev up` does, so that one can sign in by phone there."""
    monkeypatch.setenv("SMS_SENDER", "console")
    number = texting.number()
    code = texting.ask(number)
    with processes.worker(tmp_path), processes.beat(tmp_path, "beat"):
        processes.eventually(lambda: number in (tmp_path / "celery.log").read_text())
    assert f"text message to {number}: {code} is your code" in (tmp_path / "celery.log").read_text()
