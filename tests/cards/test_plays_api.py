"""Plays of special cards over REST and as commands of a socket, and the ways in which they can be asked wrongly."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
import pytest
from rest_framework.exceptions import ValidationError

from accounts.models import Player
from cards.commands import COMMANDS
from cards.models import Play
from fortunes.commands import Caller
from fortunes.errors import DomainError
from fortunes.models import Campaign, Event
from tests.cards.calling import items, pointers, post, problem
from tests.factories import cards as make
from tests.factories import trades as deals
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.django_db

# Each type as an address and as a command, and what a player holds afterwards that was dealt one card of each role.
TYPES = [
    ("steals", "steal", {"copy": 1, "wild": 1, "harmony": 1}),
    ("wilds", "wild", {"copy": 1, "steal": 1, "harmony": 1}),
    ("copies", "copy", {"steal": 1, "wild": 1, "harmony": 1}),
]


@pytest.fixture
def season() -> Campaign:
    return make.TradingSeasonFactory.create(rules={"specials": ["wild", "steal", "copy"]})


@pytest.fixture
def alice(season: Campaign) -> Player:
    alice = PlayerFactory.create()
    make.deal(season, alice, "wild", "steal", "copy")
    return alice


@pytest.fixture
def bob(season: Campaign, alice: Player) -> Player:
    bob = PlayerFactory.create()
    deals.befriend(alice, bob)
    make.deal(season, bob, "harmony", "harmony", "dedication")
    return bob


def body_of(op: str, friend: Player, kind: str | None = "harmony") -> dict[str, Any]:
    named = {} if op == "wild" else {"from": str(friend.public_id)}
    return named if kind is None else named | {"kind": kind}


def command(season: Campaign, player: Player, op: str, data: dict[str, Any]) -> Any:
    """What a socket answers: the result, or the code of the error."""
    try:
        return msgspec.json.decode(msgspec.json.encode(COMMANDS[op].run(Caller(player, season), data)))
    except DomainError as refusal:
        return refusal.code


@pytest.mark.parametrize(("address", "op", "left"), TYPES)
def test_a_play_is_the_same_act_over_rest_and_over_a_socket(
    season: Campaign, alice: Player, bob: Player, address: str, op: str, left: dict[str, int]
) -> None:
    body = body_of(op, bob)
    played = post(alice, f"campaigns/{season.slug}/{address}", body, key="k1")

    assert played.status_code == 201
    answer = played.json()
    assert (answer["play"]["type"], answer["play"]["kind"], answer["play"]["chance"]) == (op, "harmony", None)
    assert answer["play"]["friend"] == body.get("from")
    assert {slug: count for slug, count in answer["hand"]["counts"].items() if count} == left
    assert post(alice, f"campaigns/{season.slug}/{address}", body, key="k1").content == played.content
    assert command(season, alice, op, body | {"key": "k1"}) == answer
    assert Play.objects.filter(player=alice).count() == 1


@pytest.mark.parametrize(("address", "op", "left"), TYPES)
def test_the_other_way_round(
    season: Campaign, alice: Player, bob: Player, address: str, op: str, left: dict[str, int]
) -> None:
    body = body_of(op, bob)
    answer = command(season, alice, op, body | {"key": "k1"})

    assert answer["play"]["type"] == op
    assert make.held(season, alice) == left
    assert post(alice, f"campaigns/{season.slug}/{address}", body, key="k1").json() == answer


def test_a_steal_at_random_says_what_it_was_made_from(season: Campaign, alice: Player, bob: Player) -> None:
    answer = post(alice, f"campaigns/{season.slug}/steals", {"from": bob.public_id}).json()

    assert answer["play"]["kind"] == "harmony"
    assert answer["play"]["chance"] == {
        "campaign": season.pk, "player": alice.pk, "number": 1, "among": ["harmony"]
    }  # fmt: skip


def test_the_plays_of_a_player_are_listed_as_they_were_answered(season: Campaign, alice: Player, bob: Player) -> None:
    told = [
        post(alice, f"campaigns/{season.slug}/{address}", body).json()["play"]
        for address, body in (
            ("steals", {"from": bob.public_id}),
            ("wilds", {"kind": "dedication"}),
            ("copies", body_of("copy", bob)),
        )
    ]

    assert items(alice, f"campaigns/{season.slug}/plays?limit=2") == told[::-1]
    assert items(bob, f"campaigns/{season.slug}/plays") == []


REFUSED = [
    ("steals", "steal", "patriotism", (409, "friend-lacks-card")),
    ("steals", "steal", "dedication", (409, "last-card-spared")),
    ("steals", "steal", "wild", (422, "not-a-fortune")),
    ("steals", "steal", "happiness", (422, "kind-unknown")),
    ("copies", "copy", "patriotism", (409, "friend-lacks-card")),
    ("copies", "copy", "copy", (422, "not-a-fortune")),
    ("copies", "copy", "happiness", (422, "kind-unknown")),
    ("wilds", "wild", "steal", (422, "not-a-fortune")),
    ("wilds", "wild", "happiness", (422, "kind-unknown")),
]


@pytest.mark.parametrize(("address", "op", "kind", "refusal"), REFUSED)
def test_what_is_refused_is_refused_alike(
    season: Campaign, alice: Player, bob: Player, address: str, op: str, kind: str, refusal: tuple[int, str]
) -> None:
    body = body_of(op, bob, kind)

    assert problem(post(alice, f"campaigns/{season.slug}/{address}", body)) == refusal
    assert command(season, alice, op, body | {"key": "k1"}) == refusal[1]
    assert not Play.objects.exists()
    assert not Event.objects.filter(type__startswith="card.").exists()


@pytest.mark.parametrize(("address", "op"), [("steals", "steal"), ("copies", "copy")])
def test_who_is_no_friend_is_nobody(season: Campaign, alice: Player, bob: Player, address: str, op: str) -> None:
    stranger = PlayerFactory.create()
    make.deal(season, stranger, "harmony", "harmony")
    said = set()
    for other in (stranger, PlayerFactory.build(public_id=uuid.uuid4()), alice):
        body = body_of(op, other)
        refused = post(alice, f"campaigns/{season.slug}/{address}", body)
        said.add((refused.content, command(season, alice, op, body | {"key": "k1"})))
        assert problem(refused) == (404, "friend-not-found")
    assert len(said) == 1


@pytest.mark.parametrize(
    ("address", "op", "body", "faults"),
    [
        ("steals", "steal", {}, {"/from": "required"}),
        ("steals", "steal", {"from": "bob"}, {"/from": "invalid"}),
        ("steals", "steal", {"from": str(uuid.uuid4()), "kind": None}, {"/kind": "null"}),
        ("steals", "steal", {"from": str(uuid.uuid4()), "kind": ["harmony"]}, {"/kind": "invalid"}),
        ("steals", "steal", {"from": str(uuid.uuid4()), "to": str(uuid.uuid4())}, {"/to": "unknown"}),
        ("copies", "copy", {"from": str(uuid.uuid4())}, {"/kind": "required"}),
        ("copies", "copy", {"from": 7, "kind": "harmony"}, {"/from": "invalid"}),
        ("wilds", "wild", {}, {"/kind": "required"}),
        ("wilds", "wild", {"kind": ""}, {"/kind": "blank"}),
        ("wilds", "wild", {"kind": "x" * 33}, {"/kind": "max_length"}),
        ("wilds", "wild", {"kind": "harmony", "from": str(uuid.uuid4())}, {"/from": "unknown"}),
    ],
)
def test_what_is_no_request(
    season: Campaign, alice: Player, address: str, op: str, body: dict[str, Any], faults: dict[str, str]
) -> None:
    assert pointers(post(alice, f"campaigns/{season.slug}/{address}", body)) == faults
    with pytest.raises(ValidationError):
        command(season, alice, op, body | {"key": "k1"})


@pytest.mark.parametrize(("address", "op", "left"), TYPES)
def test_without_a_key_and_without_a_season(
    season: Campaign, alice: Player, bob: Player, address: str, op: str, left: dict[str, int]
) -> None:
    body = body_of(op, bob)

    missing = post(alice, f"campaigns/{season.slug}/{address}", body, key="")
    assert problem(missing) == (400, "idempotency-key-missing")
    assert command(season, alice, op, body | {"key": ""}) == "idempotency-key-missing"
    assert problem(post(alice, f"campaigns/nowhere/{address}", body)) == (404, "campaign-not-found")
    assert post(None, f"campaigns/{season.slug}/{address}", body).status_code == 401


def test_one_key_for_two_requests(season: Campaign, alice: Player, bob: Player) -> None:
    address = f"campaigns/{season.slug}/steals"
    post(alice, address, {"from": bob.public_id}, key="k1")

    reused = post(alice, address, {"from": bob.public_id, "kind": "harmony"}, key="k1")
    assert problem(reused) == (422, "idempotency-key-reused")
    # Another type is another route, and another act.
    assert post(alice, f"campaigns/{season.slug}/wilds", {"kind": "dedication"}, key="k1").status_code == 201
