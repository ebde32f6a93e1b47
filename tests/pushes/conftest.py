from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import Player
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock
from tests.pushes import away, receivers
from tests.pushes.receivers import Receiver

NOON = datetime(2027, 2, 1, 4, tzinfo=UTC)


@pytest.fixture
def service(db: None, settings: Settings, tmp_path: Path, clock: Clock) -> Iterator[Receiver]:
    """A push service of the host app `host`; it's noon in Shanghai."""
    clock.move_to(NOON)
    with receivers.running() as receiver:
        settings.DEBUG = True
        settings.FEDERATION_FILE = away.configured(tmp_path, receiver.url)
        yield receiver


@pytest.fixture
def alice(service: Receiver) -> Player:
    """She came from that app, and is away."""
    return away.arrived(nickname="Alice in words")


@pytest.fixture
def bob(db: None) -> Player:
    """He plays here without any other app."""
    return PlayerFactory.create()


@pytest.fixture
def client_of() -> Callable[[Player], APIClient]:
    """A REST client with a player's access token."""

    def make(player: Player) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(player).token}")
        return client

    return make
