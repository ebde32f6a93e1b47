"""Staff at the admin, and a database large enough for plans that mean something."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import Player
from tests import databases
from tests.admin import crowd


def member_of_staff(*permissions: str, **fields: Any) -> Player:
    """Somebody who works here and may do just this; permissions as in `fortunes.change_campaign`."""
    player = Player.objects.create_user(f"staff-{secrets.token_hex(5)}", is_staff=True, **fields)
    for permission in permissions:
        app, codename = permission.split(".")
        player.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return player


def signed_in(player: Player) -> Client:
    client = Client()
    client.force_login(player)
    return client


@pytest.fixture
def boss(db: None) -> Client:
    """A superuser at the admin."""
    return signed_in(member_of_staff(is_superuser=True))


@pytest.fixture(scope="module")
def crowded(django_db_setup: None, django_db_blocker: Any) -> Iterator[crowd.Crowd]:
    """A database of its own with tens of thousands of rows and their statistics, in place of the test's."""
    with databases.another("crowd", django_db_blocker) as (running, name):
        seasons = crowd.Crowd.gather()
        with psycopg.connect(running.owner_url(name), autocommit=True) as owner:
            seasons.multiply(owner)
        yield seasons
