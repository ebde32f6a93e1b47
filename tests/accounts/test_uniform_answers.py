"""Wherever a player names another: the unknown, those who have blocked the one who asks, and strangers look the same.

Where a stranger has to be told from the unknown, as one can ask a stranger, whoever has blocked looks like one of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from accounts.actions import friendships
from accounts.actions import invitations as links
from accounts.models import Player
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.django_db

Clients = Callable[[Player], APIClient]
NOBODY = UUID("00000000-0000-4000-8000-000000000000")
FRIENDSHIPS = "/api/v1/friendships"
SECRETS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|player-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z")


class Seen(NamedTuple):
    """What the one who asks can see: ids, names and instants left out. Queries are the answer's cost."""

    status: int
    body: str
    queries: list[str]


def _seen(call: Callable[[Any], Any], *named: Any) -> list[Seen]:
    """What a call shows for each of several handles: ids, usernames, codes."""
    return [_seen_once(call, handle) for handle in named]


def _seen_once(call: Callable[[Any], Any], handle: Any) -> Seen:
    with CaptureQueriesContext(connection) as queries:
        answer = call(handle)
    asked = [re.sub(r"'[^']*'|\b\d+\b", "?", query["sql"]) for query in queries if "SAVEPOINT" not in query["sql"]]
    return Seen(answer.status_code, SECRETS.sub("...", answer.content.decode()), asked)


@pytest.fixture
def client(bob: Player, client_of: Clients) -> APIClient:
    """Bob's, whose token is known already."""
    client = client_of(bob)
    client.get("/api/v1/me")
    return client


@pytest.fixture
def blocker(bob: Player) -> Player:
    player = PlayerFactory.create()
    friendships.block(by=player.pk, player=bob.public_id)
    return player


@pytest.fixture
def stranger(db: None) -> Player:
    return PlayerFactory.create()


@pytest.mark.parametrize(("method", "tail"), [("post", "/acceptance"), ("delete", "")])
def test_to_accept_and_to_end_all_three_look_the_same(
    method: str, tail: str, client: APIClient, blocker: Player, stranger: Player
):
    def act(player: UUID) -> Any:
        return getattr(client, method)(f"{FRIENDSHIPS}/{player}{tail}")

    unknown, blocked, strange = _seen(act, NOBODY, blocker.public_id, stranger.public_id)
    assert unknown == blocked == strange
    assert (unknown.status, len(unknown.queries)) == (404, 1)


@pytest.mark.parametrize("field", ["player", "username"])
def test_to_ask_whoever_has_blocked_looks_like_nobody(field: str, client: APIClient, blocker: Player, stranger: Player):
    def ask(handle: UUID | str) -> Any:
        return client.post(FRIENDSHIPS, {field: str(handle)}, format="json")

    nobody, theirs = (NOBODY, blocker.public_id) if field == "player" else ("nobody-here", blocker.username)
    unknown, blocked = _seen(ask, nobody, theirs)
    assert unknown == blocked
    assert (unknown.status, len(unknown.queries)) == (404, 1)
    assert ask(stranger.public_id if field == "player" else stranger.username).status_code == 201


@pytest.mark.parametrize("method", ["put", "delete"])
def test_to_block_whoever_has_blocked_looks_like_a_stranger(
    method: str, client: APIClient, blocker: Player, stranger: Player
):
    def act(player: UUID) -> Any:
        return getattr(client, method)(f"{FRIENDSHIPS}/{player}/block")

    blocked, strange = _seen(act, blocker.public_id, stranger.public_id)
    assert blocked == strange
    assert blocked.status == (200 if method == "put" else 204)


def test_once_blocked_the_two_stay_alike(client: APIClient, blocker: Player, stranger: Player):
    both = (blocker.public_id, stranger.public_id)
    for player in both:
        client.put(f"{FRIENDSHIPS}/{player}/block")
    calls: list[Callable[[UUID], Any]] = [
        lambda player: client.post(FRIENDSHIPS, {"player": str(player)}, format="json"),
        lambda player: client.post(f"{FRIENDSHIPS}/{player}/acceptance"),
        lambda player: client.delete(f"{FRIENDSHIPS}/{player}"),
        lambda player: client.put(f"{FRIENDSHIPS}/{player}/block"),
    ]
    for call in calls:
        blocked, strange = _seen(call, *both)
        assert blocked == strange
    # Here the one keeps a row and the other doesn't, which only the database can see.
    blocked, strange = _seen(lambda player: client.delete(f"{FRIENDSHIPS}/{player}/block"), *both)
    assert blocked[:2] == strange[:2] == (204, "")


def test_to_follow_an_invitation_whoever_has_blocked_looks_like_nobody(
    client: APIClient, blocker: Player, stranger: Player
):
    def follow(code: str) -> Any:
        return client.post(f"/api/v1/invitations/{code}/acceptance")

    theirs, other = (links.create(by=player.pk)[0].code for player in (blocker, stranger))
    unknown, blocked = _seen(follow, "bcdfghjkmnpq", theirs)
    assert unknown == blocked
    assert (unknown.status, len(unknown.queries)) == (404, 1)
    assert follow(other).status_code == 200


def test_to_revoke_an_invitation_everybody_elses_look_like_none(client: APIClient, blocker: Player, stranger: Player):
    theirs, other = (links.create(by=player.pk)[0].code for player in (blocker, stranger))
    unknown, blocked, strange = _seen(
        lambda code: client.delete(f"/api/v1/invitations/{code}"), "bcdfghjkmnpq", theirs, other
    )
    assert unknown == blocked == strange
    assert unknown.status == 404


def test_to_give_all_three_look_the_same(client: APIClient, bob: Player, blocker: Player, stranger: Player):
    campaign = make.SeasonFactory.create()
    drawn = make.DrawFactory.create(campaign=campaign, player=bob)
    slug = campaign.kinds.get(ordinal=drawn.kind).slug

    def give(to: UUID) -> Any:
        body = {"type": "gift", "to": str(to), "gives": [slug]}
        address, key = f"/api/v1/campaigns/{campaign.slug}/trades", f"key-{to}"
        return client.post(address, body, format="json", HTTP_IDEMPOTENCY_KEY=key)

    # What a process looks up once.
    give(NOBODY)
    unknown, blocked, strange = _seen(give, NOBODY, blocker.public_id, stranger.public_id)
    assert unknown == blocked == strange
    assert (unknown.status, '"friend-not-found"' in unknown.body) == (404, True)


def test_no_route_that_names_another_player_is_forgotten() -> None:
    """In its address. In a body: to ask, and to give."""
    named = {route for route in _routes(get_resolver()) if re.match(r"api/v1/.*(:player>|invitations/<)", route)}
    assert named == {
        "api/v1/friendships/<uuid:player>",
        "api/v1/friendships/<uuid:player>/acceptance",
        "api/v1/friendships/<uuid:player>/block",
        "api/v1/invitations/<str:code>",
        "api/v1/invitations/<str:code>/acceptance",
    }


def _routes(resolver: URLResolver, prefix: str = "") -> list[str]:
    found: list[str] = []
    for entry in resolver.url_patterns:
        here = prefix + str(entry.pattern)
        found += [here] if isinstance(entry, URLPattern) else _routes(entry, here)
    return found
