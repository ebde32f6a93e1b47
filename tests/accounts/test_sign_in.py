from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth import hashers
from django.core.cache import cache
from redis.exceptions import ConnectionError as RedisDown
from rest_framework.test import APIClient

from accounts import throttles, tokens
from accounts.models import Player
from accounts.throttles import SignInThrottle
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.django_db

PASSWORD = "six lucky carps"


def _sign_in(username: str, password: str = PASSWORD):
    return APIClient().post("/api/v1/sessions", {"username": username, "password": password}, format="json")


def test_username_and_password_give_tokens():
    alice = PlayerFactory.create(password=PASSWORD)
    answer = _sign_in(alice.username.upper())
    assert answer.status_code == 201
    assert tokens.player_of(answer.json()["tokens"]["access"]).public_id == alice.public_id
    assert answer.headers["RateLimit"].startswith('"sign-in";r=')
    assert ', "sign-in-address";r=' in answer.headers["RateLimit"]


def test_a_wrong_password_an_unknown_username_and_a_shut_out_player_look_the_same():
    alice, banned = PlayerFactory.create(password=PASSWORD), PlayerFactory.create(password=PASSWORD, is_active=False)
    answers = [_sign_in(alice.username, "wrong"), _sign_in("nobody-here"), _sign_in(banned.username)]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["code"] == "wrong-credentials"
    assert answers[0].headers["WWW-Authenticate"] == "Bearer"


def test_an_unknown_username_costs_a_hash_too(monkeypatch: pytest.MonkeyPatch):
    hashed: list[str] = []
    real = hashers.make_password
    monkeypatch.setattr(hashers, "make_password", lambda password: hashed.append(password) or real(password))
    _sign_in("nobody-here")
    assert hashed == [PASSWORD]


def test_guessing_is_slowed_down_for_one_username():
    alice, bob = PlayerFactory.create(), PlayerFactory.create()
    answers = [_sign_in(alice.username) for _ in range(2 * SignInThrottle.quota + 1)]
    assert answers[0].status_code == 401
    last = answers[-1]
    assert (last.status_code, last.json()["code"]) == (429, "too-many-requests")
    assert 1 <= int(last.headers["Retry-After"]) <= SignInThrottle.window_s + 1
    assert last.headers["RateLimit-Policy"].startswith('"sign-in";q=10;w=60, ')
    assert _sign_in(bob.username).status_code == 401


def test_without_redis_nobody_is_kept_out(monkeypatch: pytest.MonkeyPatch):
    def down(*args: object, **kwargs: object) -> None:
        raise RedisDown("no route")

    monkeypatch.setattr(cache, "add", down)
    monkeypatch.setattr(throttles, "_redis_is_ill_until", 0.0)
    alice = PlayerFactory.create(password=PASSWORD)
    assert _sign_in(alice.username).status_code == 201


def test_me(alice: Player, client_of: Callable[[Player], APIClient]):
    body = client_of(alice).get("/api/v1/me").json()
    assert body.pop("joined_at").endswith("Z")
    assert body == {"id": str(alice.public_id), "username": alice.username, "nickname": "Alice", "friend_count": 0}


def test_without_a_token_one_is_nobody():
    answer = APIClient().get("/api/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
