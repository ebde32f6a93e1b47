"""A host app's users sign in. The app is a real HTTP service that signs with keys of its own."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from jwt.algorithms import ECAlgorithm
from pytest_django import Settings

from accounts import tokens
from accounts.actions import housekeeping
from accounts.actions import invitations as links
from accounts.models import FederatedIdentity, Player, Referral, SpentToken
from tests.accounts import hosts
from tests.accounts.host_sign_ins import refused, sign_in
from tests.accounts.hosts import HostApp
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_the_first_token_makes_a_player_and_the_next_finds_them(algorithm: str, app: HostApp):
    first = sign_in(app.token("user-7", algorithm))
    assert first.status_code == 201
    body = first.json()
    player = Player.objects.get(public_id=body["player"]["id"])
    assert tokens.player_of(body["tokens"]["access"]).player_id == player.pk
    assert not player.has_usable_password()
    again = sign_in(app.token("user-7", algorithm))
    assert (again.status_code, again.json()["player"]) == (201, body["player"])
    assert sign_in(app.token("user-8")).json()["player"]["id"] != body["player"]["id"]
    assert list(FederatedIdentity.objects.order_by("pk").values_list("issuer", "subject")) == [
        ("host", "user-7"), ("host", "user-8"),
    ]  # fmt: skip
    assert app.asked == 1


@pytest.mark.parametrize(
    ("given", "told", "shown"),
    [
        ({}, "爱丽丝", "爱丽丝"),
        ({"nickname": "Ally"}, "爱丽丝", "Ally"),
        ({}, "x" * 25, ""),
        ({}, "\u202egnp", ""),
        ({}, 7, ""),
        ({}, None, ""),
    ],
)
def test_a_nickname_is_chosen_or_told_and_keeps_nobody_out(given: Any, told: Any, shown: str, app: HostApp):
    answer = sign_in(app.token("user-7", nickname=told), **given)
    assert (answer.status_code, answer.json()["player"]["nickname"]) == (201, shown)
    assert sign_in(app.token("user-7", nickname="Other"), nickname="Another").json()["player"]["nickname"] == shown


def test_a_nickname_that_was_chosen_is_judged(app: HostApp):
    token = app.token("user-7")
    answer = sign_in(token, nickname="x" * 25)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-nickname")
    assert not FederatedIdentity.objects.exists()
    assert sign_in(token, nickname="Ally").status_code == 201


def test_a_newcomer_may_have_been_invited_and_nobody_else(app: HostApp, alice: Player, bob: Player):
    code = links.create(by=alice.pk)[0].code
    unknown = sign_in(app.token("user-7"), invitation="bcdfghjkmnpq")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "invitation-not-found")
    assert not FederatedIdentity.objects.exists()
    newcomer = sign_in(app.token("user-7"), invitation=code)
    assert newcomer.status_code == 201
    assert Referral.objects.get().inviter_id == alice.pk
    other = links.create(by=bob.pk)[0].code
    assert sign_in(app.token("user-7"), invitation=other).status_code == 201
    assert Referral.objects.get().inviter_id == alice.pk


def test_who_was_shut_out_stays_out(app: HostApp):
    player = sign_in(app.token("user-7")).json()["player"]["id"]
    Player.objects.filter(public_id=player).update(is_active=False)
    answer = sign_in(app.token("user-7"))
    assert (answer.status_code, answer.json()["code"]) == (403, "player-shut-out")


def test_a_token_signs_in_once(app: HostApp, clock: Clock):
    token = app.token("user-7")
    assert sign_in(token).status_code == 201
    replayed = sign_in(token)
    assert (replayed.status_code, replayed.json()["code"]) == (401, "federated-token-used")
    without_name = app.token("user-7", jti=None)
    assert [sign_in(without_name).status_code for _ in range(2)] == [201, 401]
    assert SpentToken.objects.count() == 2
    housekeeping.forget_old()
    assert SpentToken.objects.count() == 2
    clock.shift(timedelta(minutes=6))
    housekeeping.forget_old()
    assert not SpentToken.objects.exists()
    assert sign_in(token).json()["code"] == "federated-token-expired"


def test_another_text_of_the_same_signature_is_another_token_or_none(app: HostApp):
    """ECDSA signatures have a twin; a replay of the claims under it counts as the same token."""
    token = app.token("user-7")
    body, _, signature = token.rpartition(".")
    raw = jwt.utils.base64url_decode(signature)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    twin = raw[:32] + (order - int.from_bytes(raw[32:])).to_bytes(32)
    assert sign_in(token).status_code == 201
    replayed = sign_in(f"{body}.{jwt.utils.base64url_encode(twin).decode()}")
    assert (replayed.status_code, replayed.json()["code"]) == (401, "federated-token-used")


@pytest.mark.parametrize(
    "others",
    [
        {"aud": "another-app"},
        {"aud": None},
        {"aud": []},
        {"aud": 5},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"sub": "a\0b"},
        {"sub": "a\nb"},
        {"sub": "\ud800"},
        {"iat": None},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 10**400},
        {"iss": None},
        {"iss": ["https://id.example"]},
        {"nbf": "x"},
        {"jti": 5},
    ],
)
def test_what_a_token_must_say(others: dict[str, Any], app: HostApp):
    claims = {**app.claims("user-7"), **others}
    headers = {"kid": app.key_id("ES256")}
    said = {name: value for name, value in claims.items() if value is not None}
    signed = jwt.PyJWS().encode(json.dumps(said).encode(), app.ec, algorithm="ES256", headers=headers)
    refused(signed, "federated-token-invalid")


def test_an_audience_among_others_is_enough(app: HostApp):
    assert sign_in(app.token("user-7", aud=["another-app", hosts.AUDIENCE])).status_code == 201


@pytest.mark.parametrize(
    ("issued", "expires", "not_before", "code"),
    [
        (-300, -31, None, "federated-token-expired"),
        (-300, -20, None, None),
        (20, 300, None, None),
        (40, 300, None, "federated-token-invalid"),
        (0, 300, 40, "federated-token-invalid"),
        (0, 900, None, None),
        (0, 901, None, "federated-token-invalid"),
        (0, 2**62, None, "federated-token-invalid"),
        (0, 0, None, "federated-token-invalid"),
        (0, -10, None, "federated-token-invalid"),
    ],
)
def test_times_are_judged_by_the_databases_clock(
    issued: int, expires: int, not_before: int | None, code: str | None, app: HostApp, clock: Clock
):
    clock.shift(timedelta(days=40))
    now = int(clock.now().timestamp())
    begins = None if not_before is None else now + not_before
    token = app.token("user-7", iat=now + issued, exp=now + expires, nbf=begins)
    if code:
        refused(token, code)
    else:
        assert sign_in(token).status_code == 201


def test_none_is_no_algorithm(app: HostApp):
    for name in ("none", "None", "", None):
        header = {"alg": name, "typ": "JWT", "kid": app.key_id("RS256")}
        refused(hosts.unsigned(header, app.claims("user-7")), "federated-token-invalid")


def test_a_public_key_is_no_secret(app: HostApp):
    """Key confusion: an HMAC under the text of the public key, which everybody has."""
    for algorithm, key_id in (("HS256", "RS256"), ("HS256", "ES256"), ("HS512", "RS256")):
        header = {"alg": algorithm, "typ": "JWT", "kid": app.key_id(key_id)}
        unsigned = hosts.unsigned(header, app.claims("user-7")).rpartition(".")[0]
        digest = "sha256" if algorithm == "HS256" else "sha512"
        mac = hmac.digest(app.public_pem(), unsigned.encode(), digest)
        refused(f"{unsigned}.{jwt.utils.base64url_encode(mac).decode()}", "federated-token-invalid")


def test_a_key_signs_with_the_algorithm_of_its_kind(app: HostApp):
    claims = app.claims("user-7")
    for algorithm, key in (("PS256", app.rsa), ("RS512", app.rsa), ("ES256", app.ec)):
        token = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": app.key_id("RS256")})
        refused(token, "federated-token-invalid")


def test_only_configured_algorithms(settings: Settings, tmp_path: Path, app: HostApp):
    settings.FEDERATION_FILE = hosts.configured(tmp_path, app.configuration(algorithms=["ES256"]))
    refused(app.token("user-7", "RS256"), "federated-token-invalid")
    assert sign_in(app.token("user-7", "ES256")).status_code == 201


@pytest.mark.parametrize(
    "header",
    [
        {"kid": None},
        {"kid": 5},
        {"kid": "unknown"},
        {"kid": "../../etc/passwd"},
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
    ],
)
def test_headers_that_are_refused(header: dict[str, Any], app: HostApp):
    whole = {"alg": "ES256", "typ": "JWT", "kid": app.key_id("ES256")} | header
    unsigned = hosts.unsigned({k: v for k, v in whole.items() if v is not None}, app.claims("user-7"))
    signed_part = unsigned.rpartition(".")[0]
    signature = ECAlgorithm(ECAlgorithm.SHA256).sign(signed_part.encode(), app.ec)
    token = f"{signed_part}.{jwt.utils.base64url_encode(signature).decode()}"
    refused(token, "federated-token-invalid")


def test_keys_come_from_no_address_that_a_token_names(app: HostApp):
    with hosts.running() as thief:
        thief.issuer, thief.generation = app.issuer, app.generation
        headers = {"jku": thief.url, "x5u": thief.url, "jwk": thief.jwks()["keys"][1]}
        refused(thief.token("user-7", headers=headers), "federated-token-invalid")
        assert thief.asked == 0


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b", "a.b.c", "..", "x" * 5000, "é.é.é", hosts.unsigned({}, {}), f"{'W' * 3000}.x.y"],
)
def test_what_is_no_token(token: str, app: HostApp):
    answer = sign_in(token)
    assert answer.status_code in (400, 401)
    assert answer.json()["code"] in ("invalid-request", "federated-token-invalid")


def test_deep_claims_are_no_crash(app: HostApp):
    head = hosts.unsigned({"alg": "ES256", "kid": "x"}, {}).split(".")[0]
    deep = base64.urlsafe_b64encode(b'{"a":' + b"[" * 2000).decode().rstrip("=")
    refused(f"{head}.{deep}.eHg", "federated-token-invalid")


def test_other_issuers_and_none_at_all(settings: Settings, app: HostApp):
    with hosts.running() as other:
        refused(other.token("user-7"), "issuer-unknown")
        settings.FEDERATION_FILE = ""
        refused(app.token("user-7"), "issuer-unknown")
        assert (app.asked, other.asked) == (0, 0)


def test_issuers_keep_their_users_apart(settings: Settings, tmp_path: Path, app: HostApp):
    with hosts.running() as other:
        settings.FEDERATION_FILE = hosts.configured(
            tmp_path, app.configuration(), other.configuration(slug="other", audience="elsewhere")
        )
        mine = sign_in(app.token("user-7")).json()["player"]["id"]
        theirs = sign_in(other.token("user-7", aud="elsewhere")).json()["player"]["id"]
        assert mine != theirs
        # A key of the one says nothing of the other's users.
        posing = app.token("user-7", iss=other.issuer, aud="elsewhere")
        assert sign_in(posing).json()["code"] == "federated-token-invalid"
