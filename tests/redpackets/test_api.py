"""Money over REST: addresses, statuses, refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts import tokens
from accounts.models import Player
from redpackets.models import Settlement
from tests.factories import redpackets as make
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock
from tests.redpackets.verifying import module

pytestmark = pytest.mark.django_db

Call = Callable[..., Any]


@pytest.fixture
def alice() -> Player:
    return PlayerFactory.create()


@pytest.fixture
def bob() -> Player:
    return PlayerFactory.create()


@pytest.fixture
def run(alice: Player) -> Settlement:
    run = make.SettlementFactory.create(pool__amount_fen=777)
    make.complete(run.pool.campaign, [alice])
    return run


@pytest.fixture
def call(run: Settlement) -> Call:
    """`call("get", "packet", alice)`, below the season's address."""

    def call(method: str, path: str, player: Player | None = None, key: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {tokens.issue(player).token}"} if player else {}
        if key:
            headers["Idempotency-Key"] = key
        path = path if path.startswith("/") else f"/api/v1/campaigns/{run.pool.campaign.slug}/{path}"
        return getattr(Client(raise_request_exception=False), method)(path, headers=headers)

    return call


def refusal(response: Any) -> tuple[int, str]:
    assert response["Content-Type"] == "application/problem+json", response.content
    return response.status_code, response.json()["code"]


def test_the_packet_from_sealed_to_opened(clock: Clock, run: Settlement, call: Call, alice: Player) -> None:
    assert call("get", "packet", alice).json() | {"server_time": ""} == {
        "state": "none", "settled": False, "reveal_at": call("get", "settlement").json()["reveal_at"],
        "server_time": "", "amount_fen": None, "opened_at": None, "proof": None,
    }  # fmt: skip
    make.close(clock, run)
    make.split(run)
    assert call("get", "packet", alice).json()["state"] == "sealed"
    make.reveal(clock, run)
    assert call("get", "packet", alice).json()["state"] == "ready"

    opened = call("post", "packet/opening", alice, key="k1")

    assert opened.status_code == 200
    assert opened.json() | {"opened_at": ""} == {"amount_fen": 777, "wallet_balance_fen": 777, "opened_at": ""}
    assert call("post", "packet/opening", alice, key="k1").content == opened.content
    assert call("post", "packet/opening", alice, key="k2").json() == opened.json()
    packet = call("get", "packet", alice).json()
    assert (packet["state"], packet["amount_fen"], packet["opened_at"]) == ("opened", 777, opened.json()["opened_at"])
    assert call("get", "/api/v1/wallet", alice).json() == {"balance_fen": 777}
    entries = call("get", "/api/v1/wallet/entries", alice).json()
    assert entries["next"] is None
    assert [entry | {"at": ""} for entry in entries["items"]] == [
        {"source": "pool", "destination": "wallet", "campaign": run.pool.campaign.slug, "amount_fen": 777, "at": ""}
    ]


def test_too_early_says_when(clock: Clock, run: Settlement, call: Call, alice: Player) -> None:
    make.close(clock, run)
    make.split(run)

    early = call("post", "packet/opening", alice, key="k1")

    assert refusal(early) == (425, "too-early")
    assert early.json()["reveal_at"] == call("get", "settlement").json()["reveal_at"]
    assert early.json()["server_time"] < early.json()["reveal_at"]
    assert 0 < int(early["Retry-After"]) <= 18 * 60


def test_refusals(clock: Clock, run: Settlement, call: Call, alice: Player, bob: Player) -> None:
    assert refusal(call("post", "packet/opening", alice)) == (400, "idempotency-key-missing")
    assert refusal(call("post", "packet/opening", key="k1")) == (401, "not-signed-in")
    assert refusal(call("get", "packet")) == (401, "not-signed-in")
    assert refusal(call("get", "settlement/manifest")) == (404, "manifest-not-published")
    make.reveal(clock, run)
    unsettled = call("post", "packet/opening", alice, key="k1")
    assert refusal(unsettled) == (409, "not-settled-yet")
    assert int(unsettled["Retry-After"]) > 0
    make.split(run)
    assert refusal(call("post", "packet/opening", bob, key="k1")) == (409, "not-a-winner")
    for path in ("settlement", "settlement/manifest", "packet"):
        assert refusal(call("get", f"/api/v1/campaigns/nowhere/{path}", alice)) == (404, "campaign-not-found")
    assert refusal(call("get", "packet/opening", alice)) == (405, "method-not-allowed")


def test_a_draft_is_nobodys_business(call: Call, alice: Player) -> None:
    draft = make.PoolFactory.create().campaign

    for path in ("settlement", "settlement/manifest", "packet"):
        assert refusal(call("get", f"/api/v1/campaigns/{draft.slug}/{path}", alice)) == (404, "campaign-not-found")


def test_the_public_figures(clock: Clock, run: Settlement, call: Call, alice: Player) -> None:
    before = call("get", "settlement").json()
    make.close(clock, run)
    make.split(run)
    after = call("get", "settlement").json()

    assert (before["state"], before["pool_fen"], before["winners"], before["secret"]) == ("freeze", 777, None, None)
    assert (after["state"], after["winners"], after["lowest_fen"], after["paid_fen"]) == ("done", 1, 777, 777)
    assert before["commitment"] == after["commitment"]
    assert len(after["secret"]) == 64


def test_the_manifest_is_all_that_a_verifier_needs(clock: Clock, run: Settlement, call: Call, alice: Player) -> None:
    make.close(clock, run)
    make.split(run)

    published = call("get", "settlement/manifest")

    module().check_all(published.json(), [alice.pk])
    etag = published["ETag"]
    again = Client().get(published.request["PATH_INFO"], headers={"If-None-Match": etag})
    assert again.status_code == 304


def test_an_empty_wallet(call: Call, bob: Player) -> None:
    assert call("get", "/api/v1/wallet", bob).json() == {"balance_fen": 0}
    assert call("get", "/api/v1/wallet/entries", bob).json() == {"items": [], "next": None}
