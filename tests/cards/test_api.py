"""Cards over REST: addresses, statuses, headers, refusals."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import tokens
from accounts.models import Player
from cards.actions import credits
from fortunes import rulebooks
from fortunes.models import Campaign, Rulebook
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory, ReferralFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

Call = Callable[..., Any]


@pytest.fixture
def season() -> Campaign:
    return make.SeasonFactory.create(rulebook={"quotas": make.PLENTY})


@pytest.fixture
def call(season: Campaign, alice: Player) -> Call:
    """`call("post", "scans", {…}, key="k")` as alice, below the season's address."""

    def call(
        method: str, path: str, body: Any = None, *, key: str | None = None, player: Player = alice, **kw: Any
    ) -> Any:
        client = Client(raise_request_exception=False)
        headers = {"Authorization": f"Bearer {tokens.issue(player).token}", **kw.pop("headers", {})}
        if key is not None:
            headers["Idempotency-Key"] = key
        path = path if path.startswith("/") else f"/api/v1/campaigns/{season.slug}/{path}"
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        data = {} if method == "get" else {"data": raw, "content_type": kw.pop("content_type", "application/json")}
        return getattr(client, method)(path, headers=headers, **data, **kw)

    return call


def problem(response: Any) -> tuple[int, str]:
    assert response["Content-Type"] == "application/problem+json", response.content
    body = response.json()
    assert body["status"] == response.status_code
    assert body["type"] == f"/api/v1/problems/{body['code']}"
    return response.status_code, body["code"]


def test_a_scan_over_rest_and_its_replay(season: Campaign, call: Call) -> None:
    body = {"code": make.code(season)}
    first = call("post", "scans", body, key="k1")
    again = call("post", "scans", body, key="k1")

    assert first.status_code == 201
    assert (again.status_code, again.content, again["Content-Type"]) == (201, first.content, first["Content-Type"])
    assert call("get", "hand").json()["hand"] == first.json()["hand"]


@pytest.mark.parametrize(
    ("key", "code"),
    [(None, "idempotency-key-missing"), ("", "idempotency-key-missing"), ("k" * 65, "idempotency-key-invalid")],
)
def test_a_write_needs_a_key(season: Campaign, call: Call, key: str | None, code: str) -> None:
    assert problem(call("post", "scans", {"code": make.code(season)}, key=key)) == (400, code)


def test_a_key_with_another_body(season: Campaign, call: Call) -> None:
    call("post", "scans", {"code": make.code(season)}, key="k1")

    assert problem(call("post", "scans", {"code": make.code(season)}, key="k1")) == (422, "idempotency-key-reused")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid-request"),
        (b"{", 400, "malformed-json"),
        (b'{"code":"\\u0000"}', 400, "malformed-json"),
        (b'{"code":' + b"9" * 30 + b"}", 400, "malformed-json"),
        (b"\xff\xfe", 400, "malformed-json"),
        (b"[" * 5_000, 400, "malformed-json"),
        (b"[]", 400, "invalid-request"),
        (b'"code"', 400, "invalid-request"),
        (b"null", 400, "invalid-request"),
        (b"{}", 400, "invalid-request"),
        (b'{"code":[]}', 400, "invalid-request"),
        (b'{"code":true}', 400, "invalid-request"),
        (b'{"code":"A","more":1}', 400, "invalid-request"),
        (b'{"code":"' + b"A" * 20_000 + b'"}', 413, "body-too-large"),
        (b'{"code":"A"}', 422, "code-invalid"),
    ],
)
def test_bad_bodies(call: Call, body: bytes, status: int, code: str) -> None:
    assert problem(call("post", "scans", body, key="k1")) == (status, code)


def test_faults_are_named_by_pointers(call: Call) -> None:
    body = call("post", "trades", {"type": "gift", "to": "x", "gives": ["a b"], "more": 1}, key="k1").json()
    assert {error["pointer"] for error in body["errors"]} == {"/more"}

    body = call("post", "trades", {"type": "gift", "to": "x", "gives": ["ok", "a b"]}, key="k1").json()
    assert {error["pointer"] for error in body["errors"]} == {"/to", "/gives/1"}


def test_other_media_types_and_methods(call: Call) -> None:
    assert problem(call("post", "scans", b"code=A", key="k", content_type="text/plain")) == (
        415,
        "unsupported-media-type",
    )
    assert problem(call("delete", "scans", key="k")) == (405, "method-not-allowed")
    assert problem(call("get", "/api/v1/nowhere")) == (404, "not-found")


def test_a_gift_over_rest(season: Campaign, alice: Player, bob: Player, call: Call) -> None:
    card = call("post", "scans", {"code": make.code(season)}, key="k1").json()["draw"]["kind"]
    body = {"type": "gift", "to": str(bob.public_id), "gives": [card]}
    first = call("post", "trades", body, key="k2")

    assert first.status_code == 201
    assert call("post", "trades", body, key="k2").content == first.content
    assert problem(call("post", "trades", body, key="k3")) == (409, "card-not-held")
    for reader in (alice, bob):
        assert call("get", first["Location"], player=reader).json() == first.json()["trade"]
        assert call("get", "trades", player=reader).json()["items"] == [first.json()["trade"]]
    assert problem(call("get", first["Location"], player=PlayerFactory.create())) == (404, "trade-not-found")
    assert call("get", "/api/v1/events", player=bob).json()["items"][-1]["event"] == "gift.received"


def test_an_unknown_campaign_and_a_draft_look_the_same(call: Call) -> None:
    draft = make.DraftSeasonFactory.create()
    for slug in ("nowhere", draft.slug):
        for path in (
            "",
            "/kinds",
            "/rules",
            "/fairness",
            "/kinds/dedication/issues",
            "/hand",
            "/draws",
            "/trades",
            "/broadcasts",
        ):
            assert problem(call("get", f"/api/v1/campaigns/{slug}{path}")) == (404, "campaign-not-found")


def test_draws_are_paged_newest_first(season: Campaign, call: Call) -> None:
    ids = [call("post", "scans", {"code": make.code(season)}, key=f"k{n}").json()["draw"]["id"] for n in range(5)]

    seen, address = [], f"/api/v1/campaigns/{season.slug}/draws?limit=2"
    while address:
        page = call("get", address.removeprefix("http://testserver")).json()
        seen += [item["id"] for item in page["items"]]
        address = page["next"]
    assert seen == ids[::-1]


def test_bad_cursors_and_limits(season: Campaign, call: Call) -> None:
    for cursor in ("nonsense", "cD1hYmM=", "cD0lMDA=", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5"):
        assert problem(call("get", f"draws?cursor={cursor}")) == (400, "invalid-request")
    assert call("get", "draws?limit=1000000000000000000000").status_code == 200
    assert problem(call("get", "broadcasts?after=-1")) == (400, "invalid-request")
    assert problem(call("get", "broadcasts?after=99999999999999999999")) == (400, "invalid-request")


def test_the_hand_has_an_etag(season: Campaign, call: Call) -> None:
    etag = call("get", "hand")["ETag"]
    assert call("get", "hand", headers={"If-None-Match": etag}).status_code == 304

    call("post", "scans", {"code": make.code(season)}, key="k1")
    assert call("get", "hand", headers={"If-None-Match": etag}).status_code == 200


def test_tokens_end_by_the_database_s_clock(call: Call, clock: Clock) -> None:
    client = Client()
    token = tokens.issue(PlayerFactory.create()).token
    clock.shift(timedelta(minutes=16))
    response = client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})

    assert problem(response) == (401, "token-expired")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_problems_explain_themselves_in_both_languages(call: Call) -> None:
    response = call("get", f"/api/v1/trades/{uuid.uuid4()}")
    address = response.json()["type"]

    english = call("get", address).json()["title"]
    chinese = call("get", address, headers={"Accept-Language": "zh-hans"}).json()["title"]
    assert english == "There is no such trade."
    assert chinese


def test_issues_are_published_after_the_seal_and_read_to_the_end(call: Call, alice: Player) -> None:
    season = make.SeasonFactory(
        rulebook={
            "weights": {"patriotism": 1, "prosperity": 1, "harmony": 1, "friendliness": 1, "dedication": 1_000_000},
            "caps": {"dedication": {"units": 60, "tranches": 1}},
            "quotas": make.PLENTY,
        }
    )
    outcomes = [make.redeem(season, alice) for _ in range(70)]
    issued = [outcome.draw.serial for outcome in outcomes if outcome.draw.serial]
    address = f"/api/v1/campaigns/{season.slug}/kinds/dedication/issues?limit=7"
    assert call("get", address).json() == {"items": [], "next": None}

    now = season.closes_at
    Campaign.objects.filter(pk=season.pk).update(frozen_at=now, settling_at=now, settled_at=now)
    seen = []
    while address:
        page = call("get", address.removeprefix("http://testserver")).json()
        seen += [item["serial"] for item in page["items"]]
        address = page["next"]
    assert seen == sorted(issued) == list(range(1, 61))
    assert problem(call("get", f"/api/v1/campaigns/{season.slug}/kinds/luck/issues")) == (422, "kind-unknown")


def test_the_hand_follows_a_new_rulebook_at_once(season: Campaign, call: Call) -> None:
    assert call("get", "hand").json()["quotas"][0]["per_day"] == 1_000
    raised = rulebooks.in_force(season.pk).rules | {"quotas": {"code": {"per_day": 2_000, "per_campaign": 9_000}}}
    Rulebook.objects.create(campaign=season, version=2, rules=raised, reason=Rulebook.Reason.STAFF)

    assert call("get", "hand").json()["quotas"][0]["per_day"] == 2_000


def test_a_check_in_over_rest_and_its_replay(season: Campaign, call: Call) -> None:
    first = call("post", "check-ins", {}, key="k1")

    assert first.status_code == 201
    assert call("post", "check-ins", {}, key="k1").content == first.content
    assert call("post", "check-ins", b"", key="k1").content == first.content
    again = call("post", "check-ins", {}, key="k2")
    assert problem(again) == (409, "already-checked-in")
    assert again.json()["next_at"].endswith("Z")
    assert problem(call("post", "check-ins", {})) == (400, "idempotency-key-missing")
    assert problem(call("post", "check-ins", {"day": "2027-01-01"}, key="k3")) == (400, "invalid-request")
    assert problem(call("post", "/api/v1/campaigns/nowhere/check-ins", {}, key="k3")) == (404, "campaign-not-found")
    draws = call("get", "draws").json()["items"]
    assert draws[0]["proof"]["source"] == 1


def test_referrals_and_what_became_of_them(season: Campaign, alice: Player, call: Call) -> None:
    invited = [PlayerFactory.create(nickname=name) for name in ("Bob", "Carol", "Dan")]
    for player in invited:
        ReferralFactory.create(inviter=alice, invited=player)
    make.redeem(season, invited[1])
    credits.credit_due()

    seen, address = [], f"/api/v1/campaigns/{season.slug}/referrals?limit=2"
    while address:
        page = call("get", address.removeprefix("http://testserver")).json()
        seen += [(item["player"], item["nickname"], item["state"]) for item in page["items"]]
        address = page["next"]
    states = ("invited", "credited", "invited")
    wanted = [(str(one.public_id), one.nickname, state) for one, state in zip(invited, states, strict=True)]
    assert seen == wanted[::-1]
    mine = call("get", "draws").json()["items"][0]["id"]
    assert call("get", "referrals").json()["items"][1]["draw"] == mine
    assert call("get", "referrals", player=invited[0]).json()["items"] == []
