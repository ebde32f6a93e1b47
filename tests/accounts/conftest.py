from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import Player
from tests.factories.accounts import PlayerFactory


def _person(name: str) -> Player:
    return PlayerFactory.create(username=f"{name}-{secrets.token_hex(4)}", nickname=name.title())


@pytest.fixture
def alice(db: None) -> Player:
    return _person("alice")


@pytest.fixture
def bob(db: None) -> Player:
    return _person("bob")


@pytest.fixture
def charlie(db: None) -> Player:
    return _person("charlie")


@pytest.fixture
def client_of() -> Callable[[Player], APIClient]:
    """A REST client with a player's access token."""

    def make(player: Player) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(player).token}")
        return client

    return make
