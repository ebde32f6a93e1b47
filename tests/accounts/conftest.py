from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import Player
from tests.accounts import hosts
from tests.accounts.hosts import HostApp
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


@pytest.fixture
def app(settings: Settings, tmp_path: Path) -> Iterator[HostApp]:
    """A host app that is configured here. Key sets are remembered by the file's name, which is new for each test."""
    with hosts.running() as app:
        settings.DEBUG = True
        settings.FEDERATION_FILE = hosts.configured(tmp_path, app.configuration(nickname_claim="nickname"))
        yield app
