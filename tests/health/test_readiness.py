"""/readyz: a real look at what the process needs, on real servers, with each part missing in turn."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from django.db import connection
from psycopg import sql

from config import problems, readiness
from config.http import THREADS
from config.local import processes
from config.local.roles import APP
from fortunes.models import Process
from tests.realtime import servers
from tests.realtime.servers import Server

pytestmark = pytest.mark.committed

CHECKS = {"database", "durability", "migrations", "jobs", "disk", "redis"}


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with servers.running(tmp_path_factory.mktemp("web") / "web.log") as running:
        yield running


def ask(server: Server, path: str = "/readyz") -> httpx.Response:
    return httpx.get(f"{server.url}{path}", trust_env=False, timeout=10)


def states(answer: httpx.Response) -> dict[str, str]:
    return {name: check["state"] for name, check in answer.json()["checks"].items()}


@contextmanager
def altered(owner: psycopg.Connection, setting: str) -> Iterator[None]:
    """New connections of the application to this database begin with this setting."""
    name, _, value = setting.partition("=")
    database = sql.Identifier(connection.settings_dict["NAME"])
    owner.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(database, sql.Identifier(name), value))
    try:
        yield
    finally:
        owner.execute(sql.SQL("ALTER DATABASE {} RESET {}").format(database, sql.Identifier(name)))


class TestOfAProcessThatIsWell:
    def test_every_check_is_told_and_nothing_secret(self, server: Server) -> None:
        # No worker and no beat run beside these tests; some did before.
        Process.objects.exclude(kind=Process.Kind.WEB).delete()
        _until(lambda: states(ask(server))["jobs"] == "degraded")
        answer = ask(server)
        assert answer.status_code == 200
        assert states(answer) == dict.fromkeys(CHECKS, "ok") | {"jobs": "degraded"}
        assert answer.json()["status"] == "degraded"
        for secret in ("password", "postgres", APP, os.environ["REDIS_URL"]):
            assert secret not in answer.text

    def test_it_has_written(self, server: Server) -> None:
        ask(server)
        assert Process.objects.filter(kind="web", name__endswith=f":{server.process.pid}").exists()

    def test_asking_a_hundred_times_is_one_look(self) -> None:
        looks: list[int] = []

        def look() -> dict[str, readiness.Check]:
            looks.append(1)
            return {"database": readiness.OK}

        async def crowd() -> set[int]:
            ready = readiness.Readiness()
            answers = await asyncio.gather(*(ready.answer() for _ in range(100)))
            return {answer.status for answer in [*answers, await ready.answer()]}

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(readiness, "look", look)
            assert asyncio.run(crowd()) == {200}
        assert len(looks) == 1

    def test_while_every_thread_is_busy(self, server: Server, owner_connection: psycopg.Connection) -> None:
        """Requests that wait for a lock keep all of Django's threads, until they give up."""
        with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as holder, ExitStack() as crowd:
            holder.execute("LOCK TABLE fortunes_campaign IN ACCESS EXCLUSIVE MODE")
            answers: list[int] = []
            for _ in range(2 * THREADS):
                thread = threading.Thread(target=lambda: answers.append(ask(server, "/api/v1/campaigns").status_code))
                thread.start()
                crowd.callback(thread.join)
            _until(lambda: _waiting(owner_connection) >= THREADS)
            assert ask(server).status_code == 200
            assert _waiting(owner_connection) >= THREADS
            holder.rollback()
        assert set(answers) == {200}


class TestOfAProcessThatLacks:
    def test_redis_is_degraded(self, tmp_path: Path) -> None:
        address = f"redis://127.0.0.1:{processes.free_port()}/0"
        with servers.running(tmp_path / "web.log", REDIS_URL=address) as server:
            answer = ask(server)
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert states(answer)["redis"] == "degraded"

    def test_a_database_is_unready(self, tmp_path: Path) -> None:
        address = f"postgres://{APP}:swordfish@127.0.0.1:{processes.free_port()}/fortunes"
        with servers.running(tmp_path / "web.log", DATABASE_URL=address) as server:
            answer = ask(server)
        assert (answer.status_code, answer.json()["status"]) == (503, "unready")
        assert answer.json()["checks"]["database"] == {"state": "failed", "detail": "out of reach"}
        assert "swordfish" not in answer.text + (tmp_path / "web.log").read_text()
        assert int(answer.headers["Retry-After"]) > 0

    def test_a_database_that_hangs_is_unready(self, server: Server, owner_connection: psycopg.Connection) -> None:
        with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as holder:
            holder.execute("LOCK TABLE fortunes_process IN ACCESS EXCLUSIVE MODE")
            _until(lambda: ask(server).status_code == 503)
            assert ask(server).json()["checks"]["database"]["detail"] == "refused with SQLSTATE 55P03"
            holder.rollback()
        _until(lambda: ask(server).status_code == 200)

    def test_a_migration_is_unready(self, owner_connection: psycopg.Connection) -> None:
        undo = "DELETE FROM django_migrations WHERE (app, name) = ('fortunes', '0003_functions') RETURNING applied"
        row = owner_connection.execute(undo).fetchone()
        assert row
        try:
            checks = readiness.look()
        finally:
            redo = "INSERT INTO django_migrations (app, name, applied) VALUES ('fortunes', '0003_functions', %s)"
            owner_connection.execute(redo, row)
        assert checks["migrations"] == ("failed", "1 migrations are not applied")
        assert readiness.look()["migrations"] == readiness.OK

    def test_durability_is_unready(self, owner_connection: psycopg.Connection) -> None:
        for setting in ("synchronous_commit=off", "synchronous_commit=local"):
            with altered(owner_connection, setting):
                connection.close()
                state, detail = readiness.look()["durability"]
                connection.close()
            assert state == "failed"
            assert "acknowledges commits that a crash would lose" in detail

    def test_room_on_the_disk_is_degraded(self, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(problems, "_disk_full_at", float("-inf"))
        settings.DATABASE_DISK = str(tmp_path)
        assert readiness.look()["disk"] == readiness.OK
        monkeypatch.setattr(readiness, "LOW_DISK_BYTES", 1 << 60)
        assert readiness.look()["disk"][0] == "degraded"
        settings.DATABASE_DISK = str(tmp_path / "gone")
        assert readiness.look()["disk"] == ("degraded", "DATABASE_DISK can't be looked at: No such file or directory")

    def test_a_disk_that_was_full_is_unready_for_a_while(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(problems, "_disk_full_at", time.monotonic())
        assert readiness.look()["disk"][0] == "failed"
        monkeypatch.setattr(problems, "_disk_full_at", time.monotonic() - readiness.DISK_FULL_S)
        assert readiness.look()["disk"] == readiness.OK


def _waiting(owner: psycopg.Connection) -> int:
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'fortunes_campaign'::regclass"
    row = owner.execute(query).fetchone()
    return row[0] if row else 0


def _until(holds: Any) -> None:
    ends = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.05)
