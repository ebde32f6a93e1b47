from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from datetime import timedelta

import jwt
import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from accounts import errors, tokens
from accounts.models import Player
from fortunes import clock as database_clock
from fortunes import sql
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

KEY = b"k" * 32


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """The process remembers players and the clock for seconds; these tests move both."""
    tokens._known.clear()
    yield
    database_clock.forget()


def _forge(player: Player, *, key: bytes | str = KEY, kid: object = "k1", alg: str = "HS256", **claims: object) -> str:
    claims = {"sub": str(player.public_id), "exp": int(time.time()) + 900} | claims
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, key, algorithm=alg, headers=headers)


def _raw(header: dict[str, str], player: Player) -> str:
    parts = [header, {"sub": str(player.public_id), "exp": int(time.time()) + 900}]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


def test_a_token_names_its_player_and_shows_no_inner_id(alice: Player):
    token, expires_at = tokens.issue(alice)
    identity = tokens.player_of(token)
    assert (identity.player_id, identity.public_id, identity.expires_at) == (alice.pk, alice.public_id, expires_at)
    assert set(jwt.decode(token, options={"verify_signature": False})) == {"sub", "exp"}


@pytest.mark.filterwarnings("ignore:The HMAC key")
def test_forged_tokens_are_refused(alice: Player, settings: LazySettings):
    good = settings.ACCESS_TOKEN_KEYS["k1"]
    header, payload, signature = tokens.issue(alice).token.split(".")
    forged = [
        _forge(alice),
        _forge(alice, key=settings.SCAN_CODE_KEYS["k1"]),
        _forge(alice, key=good, kid=None),
        _forge(alice, key=good, kid="unknown"),
        _forge(alice, key=good, alg="HS512"),
        _forge(alice, key=good, sub=None),
        _forge(alice, key=good, exp=None),
        _forge(alice, key="", kid="k1", alg="none"),
        _raw({"alg": "none", "kid": "k1"}, alice),
        _raw({"alg": "RS256", "kid": "k1"}, alice) + signature,
        f"{header}.{payload}.{signature[::-1]}",
        f"{header}.{payload}.",
        f"{header}.{payload}",
        "",
        "福",
        "x" * 5000,
    ]
    for token in forged:
        with pytest.raises(errors.TokenInvalid):
            tokens.player_of(token)


def test_over_rest_a_bad_token_is_401(alice: Player):
    client = APIClient()
    for header in ["Bearer", "Bearer x", f"bearer {_forge(alice)}", "Bearer \xff"]:
        client.credentials(HTTP_AUTHORIZATION=header)
        answer = client.get("/api/v1/me")
        assert (answer.status_code, answer.json()["code"]) == (401, "token-invalid")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_expires_by_the_databases_clock_and_not_the_hosts(
    alice: Player, clock: Clock, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
):
    token = tokens.issue(alice).token
    monkeypatch.setattr(time, "time", lambda: 4e9)
    tokens.player_of(token)
    clock.shift(timedelta(seconds=settings.ACCESS_TOKEN_LIFETIME_S + 1))
    database_clock.forget()
    with pytest.raises(errors.TokenExpired):
        tokens.player_of(token)


def test_keys_rotate(alice: Player, settings: LazySettings):
    old = tokens.issue(alice).token
    settings.ACCESS_TOKEN_KEYS = {"k2": KEY, **settings.ACCESS_TOKEN_KEYS}
    new = tokens.issue(alice).token
    assert jwt.get_unverified_header(new)["kid"] == "k2"
    assert tokens.player_of(old).pk == tokens.player_of(new).pk == alice.pk
    settings.ACCESS_TOKEN_KEYS = {"k2": KEY}
    with pytest.raises(errors.TokenInvalid):
        tokens.player_of(old)


def test_one_query_and_then_none_for_a_while(alice: Player, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    def fetch(statement: str, params: dict) -> list:
        asked.append(statement)
        return sql.fetch(statement, params)

    token = tokens.issue(alice).token
    monkeypatch.setattr(sql, "fetch_often", fetch)
    for queries, remember_s in ((1, 2.0), (1, 2.0), (2, 0.0)):
        monkeypatch.setattr(tokens, "REMEMBER_S", remember_s)
        tokens.player_of(token)
        assert len(asked) == queries


def test_many_tokens_are_judged_each_by_itself_in_one_query(alice: Player, monkeypatch: pytest.MonkeyPatch):
    others = PlayerFactory.create_batch(3)
    others[1].is_active = False
    others[1].save()
    given = [tokens.issue(player).token for player in (alice, *others)]
    outcomes = tokens.players_of([*given, "rubbish", given[0]])
    assert [getattr(outcome, "pk", type(outcome)) for outcome in outcomes] == [
        alice.pk, others[0].pk, errors.TokenInvalid, others[2].pk, errors.TokenInvalid, alice.pk,
    ]  # fmt: skip


def test_a_shut_out_player_is_refused(alice: Player, monkeypatch: pytest.MonkeyPatch):
    token = tokens.issue(alice).token
    tokens.player_of(token)
    Player.objects.filter(pk=alice.pk).update(is_active=False)
    monkeypatch.setattr(tokens, "REMEMBER_S", 0.0)
    with pytest.raises(errors.TokenInvalid):
        tokens.player_of(token)


def test_what_is_remembered_has_a_bound(alice: Player, bob: Player, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tokens, "REMEMBER_AT_MOST", 1)
    for player in (alice, bob, alice):
        tokens.player_of(tokens.issue(player).token)
        assert len(tokens._known) == 1
