"""A season with alice, bob and charlie, and two web processes to play it on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from accounts.models import Player
from fortunes.models import Campaign
from tests.factories import cards as make
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.realtime import servers
from tests.realtime.people import Person
from tests.realtime.servers import Server

NEVER = "86400"
# Every scan gives the same card.
ONE_CARD: dict[str, Any] = {
    "weights": {"patriotism": 1},
    "complete_set": ["patriotism"],
    "caps": {},
    "quotas": make.PLENTY,
}


@pytest.fixture(scope="session")
def live_server_pair(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    """They don't poll while Redis is well: whatever arrives was rung for."""
    folder = tmp_path_factory.mktemp("web")
    with (
        servers.running(folder / "a.log", SOCKET_POLL_S=NEVER) as a,
        servers.running(folder / "b.log", SOCKET_POLL_S=NEVER) as b,
    ):
        yield a, b


@pytest.fixture
def a(live_server_pair: tuple[Server, Server], committed_db: None) -> Server:
    return servers.up_to_date(live_server_pair[0])


@pytest.fixture
def b(live_server_pair: tuple[Server, Server], committed_db: None) -> Server:
    return servers.up_to_date(live_server_pair[1])


@pytest.fixture
def season(committed_db: None) -> Campaign:
    return make.SeasonFactory(rulebook=ONE_CARD)


@pytest.fixture
def cast(season: Campaign, a: Server) -> dict[str, Person]:
    """All three are friends; alice has ten cards to give."""
    players: dict[str, Player] = {name: PlayerFactory.create() for name in ("alice", "bob", "charlie")}
    for one, other in combinations(players.values(), 2):
        FriendshipFactory(player=one, friend=other)
    for _ in range(10):
        make.redeem(season, players["alice"])
    return {name: Person(player, season, a) for name, player in players.items()}


@pytest.fixture
def alice(cast: dict[str, Person]) -> Person:
    return cast["alice"]


@pytest.fixture
def bob(cast: dict[str, Person]) -> Person:
    return cast["bob"]


@pytest.fixture
def charlie(cast: dict[str, Person]) -> Person:
    return cast["charlie"]
