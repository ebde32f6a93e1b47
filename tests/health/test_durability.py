"""Nothing starts on a database that acknowledges what a crash would lose: real roles, databases and processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from psycopg import sql

from config import durability
from config.local import environment, services, stack
from config.local.roles import APP

pytestmark = pytest.mark.committed

WHY = "a crash would lose"


@pytest.fixture(params=["database", "role"])
def unsafe(request: pytest.FixtureRequest, owner_connection: psycopg.Connection) -> Iterator[None]:
    """synchronous_commit is off where the application connects: for the database, or for its role there."""
    running = services.described(os.environ["FORTUNES_TEST_SERVICES"])
    database = sql.Identifier(connection.settings_dict["NAME"])
    target = sql.SQL("DATABASE {}").format(database)
    if request.param == "role":
        target = sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(APP), database)
    with psycopg.connect(running.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER {} SET synchronous_commit = off").format(target))
        connection.close()
        try:
            yield
        finally:
            admin.execute(sql.SQL("ALTER {} RESET synchronous_commit").format(target))
            connection.close()


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """A process to its end, which must come by itself."""
    command = [sys.executable, "-m", *words]
    return subprocess.run(
        command, cwd=environment.ROOT, env=os.environ, capture_output=True, text=True, timeout=60, check=False
    )


def test_web_does_not_start(unsafe: None) -> None:
    with stack.processes.listen("127.0.0.1", 0) as listener:
        command = [sys.executable, "-m", *stack._uvicorn(listener.fileno())]
        ended = subprocess.run(
            command, cwd=environment.ROOT, pass_fds=(listener.fileno(),),
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert ended.returncode != 0
    assert WHY in ended.stderr


@pytest.mark.parametrize("program", ["worker", "beat"])
def test_neither_do_workers_and_beat(unsafe: None, program: str, tmp_path: object) -> None:
    schedule = ["--schedule", f"{tmp_path}/beat", "--pidfile="] if program == "beat" else ["--concurrency=1"]
    ended = run("celery", "-A", "config.celery", program, *schedule)
    assert ended.returncode != 0
    assert WHY in ended.stderr + ended.stdout


def test_the_check_says_so(unsafe: None) -> None:
    with pytest.raises(SystemCheckError, match="synchronous_commit is off"):
        call_command("check", databases=["default"])
    assert [reason for reason in durability.reasons_not_to_start() if WHY in reason]


def test_a_safe_database_passes() -> None:
    call_command("check", databases=["default"])
    assert durability.reasons_not_to_start() == []


def test_a_host_that_vanishes_is_not_waited_for() -> None:
    """A host that has lost its power sends nothing, not even that it's gone; the system's own patience is two hours."""
    given = connection.get_connection_params()
    silence_s = given["keepalives_idle"] + given["keepalives_interval"] * given["keepalives_count"]
    assert (silence_s, given["tcp_user_timeout"]) == (11, 10_000)


def test_a_database_out_of_reach_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may come back, and until then /readyz is unready."""
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "PORT", 1)
    assert durability.reasons_not_to_start() == []
    connection.close()
