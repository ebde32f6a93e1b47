"""A full disk, for real: a table on a file system of four megabytes."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from psycopg import sql

from accounts import tokens
from config import problems, readiness
from config.local import services
from tests.factories import cards as make
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.realtime.conftest import ONE_CARD

pytestmark = pytest.mark.committed

TABLES = {
    "fortunes_idempotencykey": "(player_id, route, key, body_hash) VALUES (0, 'filler', gen_random_uuid(), '')",
    "django_session": "VALUES (gen_random_uuid(), '', fortunes_clock())",
}


@pytest.fixture
def tiny(tmp_path: Path, owner_connection: psycopg.Connection) -> Iterator[Path]:
    """A folder on a disk of its own, in which these tables lie; all is put back however the test ends."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    space = f"tiny_{secrets.token_hex(4)}"
    try:
        with psycopg.connect(
            services.described(os.environ["FORTUNES_TEST_SERVICES"]).admin_url, autocommit=True
        ) as admin:
            _run(admin, "CREATE TABLESPACE {} LOCATION {}", sql.Identifier(space), str(disk))
            _run(admin, "GRANT CREATE ON TABLESPACE {} TO fortunes_owner", sql.Identifier(space))
            _move(owner_connection, space)
            try:
                yield disk
            finally:
                connection.close()
                (disk / "filler").unlink(missing_ok=True)
                _move(owner_connection, "pg_default")
                _run(admin, "DROP TABLESPACE {}", sql.Identifier(space))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_is_busy_everywhere_unready_and_over_when_there_is_room(
    tiny: Path, owner_connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problems, "_disk_full_at", float("-inf"))
    friendship = FriendshipFactory.create()
    alice, bob = friendship.player, friendship.friend
    season = make.SeasonFactory.create(rulebook=ONE_CARD)
    make.redeem(season, alice)
    gift = {"type": "gift", "to": str(bob.public_id), "gives": ["patriotism"]}
    player = Client(headers={"Authorization": f"Bearer {tokens.issue(alice).token}", "Idempotency-Key": "k"})
    staff = Client(raise_request_exception=False)
    carol = PlayerFactory.create(password="swordfish", is_staff=True, is_superuser=True)

    def give() -> Any:
        return player.post(f"/api/v1/campaigns/{season.slug}/trades", gift, "application/json")

    def sign_in() -> Any:
        return staff.post("/admin/login/", {"username": carol.username, "password": "swordfish"})

    _fill(tiny, owner_connection)
    for refused in (give(), sign_in()):
        assert (refused.status_code, refused.headers["Content-Type"]) == (503, "application/problem+json")
        assert (refused.json()["code"], refused.headers["Retry-After"]) == ("busy", "30")
    state, detail = readiness.look()["disk"]
    assert (state, detail[:37]) == ("failed", "the database found its disk full 0 s ")

    (tiny / "filler").unlink()
    assert give().status_code == 201
    assert sign_in().status_code == 302


def _fill(disk: Path, owner: psycopg.Connection) -> None:
    """The disk, and then the last page of each table."""
    with (disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space left"):
        while True:
            filler.write(bytes(4096))
    for table, row in TABLES.items():
        with pytest.raises(psycopg.errors.DiskFull):
            for _ in range(10_000):
                owner.execute(f"INSERT INTO {table} {row}".encode())


def _move(owner: psycopg.Connection, space: str) -> None:
    for table in TABLES:
        owner.execute(f"TRUNCATE {table}".encode())
        _run(owner, "ALTER TABLE {} SET TABLESPACE {}", sql.Identifier(table), sql.Identifier(space))


def _run(connection: psycopg.Connection, statement: str, *values: sql.Composable | str) -> None:
    connection.execute(sql.SQL(statement).format(*values))
