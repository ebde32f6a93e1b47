"""Where a host app's public keys come from: rotated, out of reach, hanging, garbage."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from pytest_django import Settings

from accounts import federation, keysets
from tests.accounts import hosts
from tests.accounts.host_sign_ins import refused, sign_in
from tests.accounts.hosts import HostApp

pytestmark = pytest.mark.django_db


def _later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """This process's monotonic clock, as the key sets read it, moves on."""
    now = keysets.time.monotonic() + seconds
    monkeypatch.setattr(keysets, "time", SimpleNamespace(monotonic=lambda: now))


def test_rotated_keys_are_found_once_it_may_be_asked_again(app: HostApp, monkeypatch: pytest.MonkeyPatch):
    old = app.token("user-7")
    assert sign_in(app.token("user-7")).status_code == 201
    app.rotate()
    new = app.token("user-7")
    assert sign_in(new).json()["code"] == "federated-token-invalid"
    assert app.asked == 1
    _later(monkeypatch, keysets.PAUSE_S)
    assert sign_in(new).status_code == 201
    assert app.asked == 2
    assert sign_in(old).json()["code"] == "federated-token-invalid"
    assert app.asked == 2


def test_unknown_keys_ask_at_most_every_thirty_seconds(app: HostApp, monkeypatch: pytest.MonkeyPatch):
    for _ in range(5):
        refused(app.token("user-7", headers={"kid": "unknown"}), "federated-token-invalid")
    assert app.asked == 1
    _later(monkeypatch, keysets.PAUSE_S)
    for _ in range(5):
        refused(app.token("user-7", headers={"kid": "unknown"}), "federated-token-invalid")
    assert app.asked == 2


def test_known_keys_are_used_for_ten_minutes_and_without_their_address_for_a_day(
    app: HostApp, monkeypatch: pytest.MonkeyPatch
):
    assert sign_in(app.token("user-7")).status_code == 201
    app.behave = "down"
    _later(monkeypatch, keysets.FRESH_S - 1)
    assert sign_in(app.token("user-7")).status_code == 201
    assert app.asked == 1
    _later(monkeypatch, keysets.USABLE_S - keysets.FRESH_S - 1)
    assert sign_in(app.token("user-7")).status_code == 201
    assert app.asked == 2
    _later(monkeypatch, keysets.PAUSE_S)
    late = sign_in(app.token("user-7"))
    assert (late.status_code, late.json()["code"]) == (503, "federation-unavailable")
    app.behave = "well"
    _later(monkeypatch, keysets.PAUSE_S)
    assert sign_in(app.token("user-7")).status_code == 201


@pytest.mark.parametrize("behaviour", ["down", "garbage", "huge", "error", "redirect"])
def test_without_keys_it_is_said_when_to_try_again(behaviour: str, app: HostApp):
    app.behave = behaviour
    for _ in range(3):
        answer = refused(app.token("user-7"), "federation-unavailable", 503)
        assert answer["Retry-After"] == "30"
    assert app.asked == 1


@pytest.mark.parametrize("behaviour", ["hang", "drip"])
def test_a_slow_address_is_given_up(behaviour: str, app: HostApp, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keysets, "PATIENCE_S", 0.3)
    app.behave = behaviour
    refused(app.token("user-7"), "federation-unavailable", 503)


def test_nothing_listens_there(settings: Settings, tmp_path: Path):
    with hosts.running() as gone:
        pass
    settings.DEBUG = True
    settings.FEDERATION_FILE = hosts.configured(tmp_path, gone.configuration())
    refused(gone.token("user-7"), "federation-unavailable", 503)


def test_a_file_has_them_too(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with hosts.running() as app:
        file = tmp_path / "keys.json"
        file.write_text(json.dumps(app.jwks()))
        settings.FEDERATION_FILE = hosts.configured(tmp_path, app.configuration(jwks_url=None, jwks_file="keys.json"))
        assert sign_in(app.token("user-7", "RS256")).status_code == 201
        app.rotate()
        file.write_text(json.dumps(app.jwks()))
        _later(monkeypatch, keysets.PAUSE_S)
        assert sign_in(app.token("user-7", "RS256")).status_code == 201
        assert app.asked == 0


def test_keys_that_can_not_be_meant_are_passed_over(app: HostApp):
    issuer = federation.load()[app.issuer].issuer
    good = app.jwks()["keys"][1]
    weak = RSAAlgorithm.to_jwk(
        rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key(), as_dict=True
    )
    other_curve = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True)
    useless: list[Any] = [
        5,
        {},
        {**good, "kid": None},
        {**good, "use": "enc"},
        {**good, "alg": "RS256"},
        {**good, "x": "AAAA"},
        {**good, "kty": "OKP"},
        {**weak, "kid": "weak"},
        {**other_curve, "kid": "other-curve"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
    ]
    body = json.dumps({"keys": [*useless, good]}).encode()
    assert list(keysets.parse(body, issuer)) == [good["kid"]]
    for nothing in (b"{}", b"[]", b'{"keys": 5}', b"\xff", b"[" * 50_000, json.dumps({"keys": useless}).encode()):
        with pytest.raises(ValueError, match=r"."):
            keysets.parse(nothing, issuer)


def test_a_name_server_that_does_not_answer_holds_nobody_up(monkeypatch: pytest.MonkeyPatch):
    looked_up, answered = threading.Event(), threading.Event()

    def hang(*_: Any, **__: Any) -> Any:
        looked_up.wait(20)
        answered.set()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setattr(keysets, "PATIENCE_S", 0.1)
    try:
        with pytest.raises(TimeoutError):
            keysets.download("https://keys.example/keys.json")
        assert not answered.is_set()
    finally:
        looked_up.set()
