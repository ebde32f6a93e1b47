from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.actions import friendships
from accounts.models import Player
from fortunes import sql
from tests.factories.accounts import FriendshipFactory, PlayerFactory

pytestmark = pytest.mark.django_db

Clients = Callable[[Player], APIClient]
ADDRESS = "/api/v1/friendships"
NOBODY = "00000000-0000-4000-8000-000000000000"


def test_ask_accept_and_end(alice: Player, bob: Player, client_of: Clients):
    asked = client_of(alice).post(ADDRESS, {"username": bob.username}, format="json")
    assert asked.status_code == 201
    body = asked.json()
    assert body["player"] == {"id": str(bob.public_id), "username": bob.username, "nickname": "Bob"}
    assert (body["state"], body["since"][-1]) == ("asking", "Z")
    again = client_of(alice).post(ADDRESS, {"player": str(bob.public_id)}, format="json")
    assert (again.status_code, again.json()) == (200, body)
    accepted = client_of(bob).post(f"{ADDRESS}/{alice.public_id}/acceptance")
    assert (accepted.status_code, accepted.json()["state"]) == (200, "friends")
    ended = client_of(alice).delete(f"{ADDRESS}/{bob.public_id}")
    assert (ended.status_code, ended.content) == (204, b"")
    gone = client_of(alice).delete(f"{ADDRESS}/{bob.public_id}")
    assert (gone.status_code, gone.json()["code"]) == (404, "friendship-not-found")


def test_block_and_unblock(alice: Player, bob: Player, client_of: Clients):
    block = f"{ADDRESS}/{bob.public_id}/block"
    for _ in range(2):
        answer = client_of(alice).put(block)
        assert (answer.status_code, answer.json()["state"]) == (200, "blocked")
    for _ in range(2):
        assert client_of(alice).delete(block).status_code == 204


def test_who_blocked_you_answers_like_nobody(alice: Player, bob: Player, client_of: Clients):
    friendships.block(by=alice.pk, player=bob.public_id)
    client = client_of(bob)
    for body in ({"username": alice.username}, {"username": "nobody-here"}, {"player": str(alice.public_id)}):
        answer = client.post(ADDRESS, body, format="json")
        assert (answer.status_code, answer.json()["code"]) == (404, "player-not-found")
    for method, tail in [("post", "/acceptance"), ("delete", "")]:
        blocked = getattr(client, method)(f"{ADDRESS}/{alice.public_id}{tail}")
        unknown = getattr(client, method)(f"{ADDRESS}/{NOBODY}{tail}")
        assert blocked.status_code == unknown.status_code == 404
        assert blocked.content == unknown.content
    assert client.get(ADDRESS).json() == {"items": [], "next": None}


def test_who_blocked_you_can_be_blocked_in_turn_and_never_knows(alice: Player, bob: Player, client_of: Clients):
    friendships.block(by=alice.pk, player=bob.public_id)
    (before,) = client_of(alice).get(ADDRESS).json()["items"]
    blocked = client_of(bob).put(f"{ADDRESS}/{alice.public_id}/block")
    assert (blocked.status_code, blocked.json()["state"]) == (200, "blocked")
    assert client_of(bob).get(ADDRESS).json()["items"] == [blocked.json()]
    assert client_of(alice).get(ADDRESS).json()["items"] == [before]
    asked = client_of(bob).post(ADDRESS, {"username": alice.username}, format="json")
    assert (asked.status_code, asked.json()["code"]) == (409, "player-blocked")
    for _ in range(2):
        assert client_of(bob).delete(f"{ADDRESS}/{alice.public_id}/block").status_code == 204
    assert client_of(bob).get(ADDRESS).json()["items"] == []
    assert client_of(alice).get(ADDRESS).json()["items"] == [before]
    assert sql.fetch(sql.text("accounts", "invariants/friendships_mirror")) == []


@pytest.mark.parametrize(("method", "tail"), [("post", "/acceptance"), ("delete", "")])
def test_whoever_blocked_you_strangers_and_nobody_look_and_cost_the_same(
    method: str, tail: str, alice: Player, bob: Player, charlie: Player, client_of: Clients
):
    friendships.block(by=alice.pk, player=bob.public_id)
    client = client_of(bob)
    client.get("/api/v1/me")
    answers, costs = [], []
    for nobody in (alice.public_id, charlie.public_id, NOBODY):
        with CaptureQueriesContext(connection) as queries:
            answer = getattr(client, method)(f"{ADDRESS}/{nobody}{tail}")
        answers.append((answer.status_code, answer.content))
        costs.append([query["sql"].split()[0] for query in queries])
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 404
    assert costs[0] == costs[1] == costs[2]
    assert costs[0].count("SELECT") == 1


def test_the_list_has_pages(alice: Player, client_of: Clients, django_assert_max_num_queries):
    others = PlayerFactory.create_batch(5)
    for other in others:
        FriendshipFactory.create(player=alice, friend=other)
    client = client_of(alice)
    client.get("/api/v1/me")
    with django_assert_max_num_queries(1):
        page = client.get(f"{ADDRESS}?limit=3").json()
    rest = client.get(page["next"]).json()
    assert rest["next"] is None
    found = [item["player"]["id"] for item in page["items"] + rest["items"]]
    assert found == [str(other.public_id) for other in reversed(others)]
    assert {item["state"] for item in page["items"]} == {"friends"}


@pytest.mark.parametrize(
    "body", [{}, [], "bob", {"username": "bob", "player": NOBODY}, {"player": []}, {"friend": "bob"}]
)
def test_a_body_of_another_shape_is_refused(body: object, alice: Player, client_of: Clients):
    answer = client_of(alice).post(ADDRESS, body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")


def test_refusals(alice: Player, bob: Player, client_of: Clients):
    client = client_of(alice)
    oneself = client.post(ADDRESS, {"username": alice.username}, format="json")
    assert (oneself.status_code, oneself.json()["code"]) == (422, "friendship-with-oneself")
    friendships.ask(by=alice.pk, player=bob.public_id)
    early = client.post(f"{ADDRESS}/{bob.public_id}/acceptance")
    assert (early.status_code, early.json()["code"]) == (409, "friendship-not-asked")
    assert client.post(f"{ADDRESS}/not-a-uuid/acceptance").status_code == 404


@pytest.mark.parametrize(
    ("method", "tail"), [("get", ""), ("post", ""), ("delete", f"/{NOBODY}"), ("put", f"/{NOBODY}/block")]
)
def test_only_for_players_who_are_signed_in(method: str, tail: str):
    answer = getattr(APIClient(), method)(ADDRESS + tail)
    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")
