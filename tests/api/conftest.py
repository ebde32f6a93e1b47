"""The cast of the tests of the whole API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import override_settings
from pytest_django import Settings

from accounts.models import Player
from tests import databases
from tests.admin.crowd import Crowd
from tests.api import plans
from tests.api.world import RULES, World
from tests.factories.cards import SeasonFactory
from tests.plugins.clock import Clock


@pytest.fixture
def world(db: None, clock: Clock, settings: Settings, tmp_path: Path) -> World:
    world = World.make(clock, tmp_path)
    settings.FEDERATION_FILE = world.federation_file
    return world


@pytest.fixture(scope="module")
def large_world(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """In a database of its own, in the larger one of two seasons."""
    with databases.another("large", django_db_blocker) as (running, name):
        boss = Player.objects.create_superuser("boss")
        seasons = Crowd(SeasonFactory(), SeasonFactory(rulebook=RULES, specials=True), boss, boss.pk)
        with psycopg.connect(running.owner_url(name), autocommit=True) as owner:
            clock = Clock(owner)
            seasons.multiply(owner)
            world = World.make(clock, tmp_path_factory.mktemp("host"), live=seasons.new)
            plans.prepare(running.admin_url, name)
            connection.close()
            with override_settings(FEDERATION_FILE=world.federation_file):
                yield world
            clock.restore()
