"""Limits for comfort: they hold while Redis is well, and cost next to nothing while it isn't."""

from __future__ import annotations

import itertools
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import throttles
from accounts.models import Player
from config.local import valkey
from fortunes import clock
from fortunes.models import Event
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.django_db

Clients = Callable[[Player], APIClient]
Post = Callable[[APIClient], Any]
ASKS = "/api/v1/friendships"

_numbers = itertools.count(1)


def _sign_up(client: APIClient) -> Any:
    return client.post(
        "/api/v1/players", {"username": f"p-{secrets.token_hex(4)}", "password": "six lucky carps"}, format="json"
    )


def _sign_in(client: APIClient) -> Any:
    return client.post("/api/v1/sessions", {"username": f"p-{secrets.token_hex(4)}", "password": "x"}, format="json")


def _refresh(client: APIClient) -> Any:
    return client.post("/api/v1/sessions/refresh", {"refresh": "x"}, format="json")


@pytest.fixture
def address() -> str:
    """One that no other test has counted."""
    return f"198.51.100.{next(_numbers)}"


@pytest.fixture(autouse=True)
def within_one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute that ends in the middle of a test would begin a new count."""
    now = clock.now()
    monkeypatch.setattr(clock, "estimate", lambda: now)


@pytest.fixture
def stopped_redis(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen]:
    """The cache is in a Valkey that takes connections and answers nothing."""
    server = valkey.prepare(tmp_path / "valkey", secrets.token_hex(8))
    program = server.program()
    process = subprocess.Popen(program.argv, cwd=program.cwd)
    try:
        while not server.is_ready():
            time.sleep(0.02)
        settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": server.url}}
        monkeypatch.setattr(throttles, "_redis_is_ill_until", 0.0)
        process.send_signal(signal.SIGSTOP)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("limit", "post", "policy"),
    [
        ("SIGN_UPS_PER_MINUTE", _sign_up, "sign-up"),
        ("SIGN_INS_PER_MINUTE", _sign_in, "sign-in-address"),
        ("REFRESHES_PER_MINUTE", _refresh, "refresh"),
    ],
)
def test_one_address_gets_so_many_a_minute(limit: str, post: Post, policy: str, address: str, settings: Settings):
    setattr(settings, limit, 3)
    client = APIClient(REMOTE_ADDR=address)
    answers = [post(client) for _ in range(4)]
    assert 429 not in [answer.status_code for answer in answers[:3]]
    last = answers[-1]
    assert (last.status_code, last.json()["code"]) == (429, "too-many-requests")
    assert 1 <= int(last.headers["Retry-After"]) <= 61
    assert f'"{policy}";q=3;w=60' in last.headers["RateLimit-Policy"]
    assert f'"{policy}";r=0;t=' in last.headers["RateLimit"]
    assert post(APIClient(REMOTE_ADDR=f"{address}0")).status_code != 429


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:2::1", "2001:db8:0:3::1", False),
        ("::ffff:203.0.113.1", "203.0.113.1", True),
        ("::ffff:203.0.113.2", "::ffff:203.0.113.3", False),
    ],
)
def test_of_ipv6_the_network_counts(one: str, other: str, same: bool, settings: Settings):
    settings.REFRESHES_PER_MINUTE = 1
    assert _refresh(APIClient(REMOTE_ADDR=one)).status_code == 401
    assert _refresh(APIClient(REMOTE_ADDR=other)).status_code == (429 if same else 401)


def test_to_ask_for_the_head_alone_is_counted_as_well(alice: Player, client_of: Clients):
    client = client_of(alice)
    answers = [client.head("/api/v1/me/export") for _ in range(throttles.ExportThrottle.quota + 1)]
    assert [answer.status_code for answer in answers] == [200] * throttles.ExportThrottle.quota + [429]
    assert client.get("/api/v1/me/export").status_code == 429


def test_a_player_asks_so_many_a_minute(alice: Player, client_of: Clients, settings: Settings):
    settings.ASKS_PER_MINUTE = 3
    client = client_of(alice)
    asked = [client.post(ASKS, {"username": bob.username}, format="json") for bob in PlayerFactory.create_batch(4)]
    assert [answer.status_code for answer in asked] == [201, 201, 201, 429]
    assert client.get(ASKS).status_code == 200


def test_who_asks_and_withdraws_in_turns_is_stopped(alice: Player, bob: Player, charlie: Player, client_of: Clients):
    client = client_of(alice)
    spellings = [{"username": bob.username}, {"username": bob.username.upper()}, {"username": f" {bob.username}"}]
    codes = []
    for body in itertools.islice(itertools.cycle(spellings), 9):
        codes.append(client.post(ASKS, body, format="json").status_code)
        client.delete(f"{ASKS}/{bob.public_id}")
    assert codes == [201] * 5 + [429] * 4
    assert Event.objects.filter(player=bob).count() == 10
    assert client.post(ASKS, {"username": charlie.username}, format="json").status_code == 201


def test_ids_are_one_spelling_too(alice: Player, bob: Player, client_of: Clients):
    spellings = [str(bob.public_id), bob.public_id.hex, f"{{{bob.public_id}}}".upper(), bob.public_id.urn]
    codes = [
        client_of(alice).post(ASKS, {"player": spelling}, format="json").status_code
        for spelling in itertools.islice(itertools.cycle(spellings), 6)
    ]
    assert codes == [201] + [200] * 4 + [429]


def test_a_redis_that_hangs_costs_one_try_and_not_each(
    stopped_redis: subprocess.Popen, address: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(throttles, "LEAVE_REDIS_ALONE_S", 60)
    settings.REFRESHES_PER_MINUTE = 1
    client = APIClient(REMOTE_ADDR=address)
    tries = []
    add = cache.add
    with monkeypatch.context() as patch:
        patch.setattr(cache, "add", lambda *args, **kwargs: (tries.append(args), add(*args, **kwargs))[1])
        assert {_refresh(client).status_code for _ in range(20)} == {401}
    assert len(tries) == 1


def test_redis_is_asked_again_after_a_while(
    stopped_redis: subprocess.Popen, address: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(throttles, "LEAVE_REDIS_ALONE_S", 0.5)
    settings.REFRESHES_PER_MINUTE = 1
    client = APIClient(REMOTE_ADDR=address)
    codes = [_refresh(client).status_code]
    stopped_redis.send_signal(signal.SIGCONT)
    codes.append(_refresh(client).status_code)
    time.sleep(0.5)
    codes += [_refresh(client).status_code for _ in range(3)]
    # What was sent before the stop may have been counted when it went on.
    assert codes[:2] == [401, 401]
    assert codes[-1] == 429
