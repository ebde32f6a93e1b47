"""The services that `./dev` runs: they start, survive accidents, and leave nothing behind."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis
from django.db import connection

from config.local import environment, processes, roles, secrets, services, template
from config.local.supervisor import Program, Supervisor
from tests.plugins.clock import Clock

# What another process does with services until it's told to end, or killed.
HOLDER = """
import sys, time
from datetime import datetime, timedelta
from pathlib import Path
from config.local.interrupts import Stop, raising_stop
from config.local.services import services
try:
    with raising_stop(), services(Path(sys.argv[1])) as running:
        print("pids", *running.supervisor.pids().values(), flush=True)
        time.sleep(60)
except Stop:
    print("stopped", flush=True)
"""


@pytest.fixture(autouse=True)
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Embedded servers even where the developer's own run the other tests."""
    for name in (environment.OWN_DATABASE, environment.OWN_REDIS):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def shared() -> services.Services:
    """The services of this test session."""
    return services.described(os.environ["FORTUNES_TEST_SERVICES"])


@pytest.fixture
def scratch(shared: services.Services) -> Iterator[str]:
    """A clone of the template that the test may spoil."""
    name = f"fortunes_scratch_{os.getpid()}"
    template.clone(shared, name)
    yield name
    roles.drop_database(shared.owner_url(), name)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path, say=lambda text: None)
    yield supervisor
    supervisor.stop()


def sleeper(name: str = "sleeper") -> Program:
    return Program(name=name, argv=["sleep", "60"], grace=2)


def eventually(what: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


class TestRoles:
    def test_application_has_its_timeouts(self, shared: services.Services, scratch: str) -> None:
        with psycopg.connect(shared.app_url(scratch)) as connection:
            for setting, value in roles.APP_TIMEOUTS.items():
                assert connection.execute(f"SHOW {setting}").fetchone() == (value,)

    @pytest.mark.parametrize("statement", ["CREATE TABLE mine (id int)", "CREATE DATABASE mine", "CREATE ROLE mine"])
    def test_application_creates_nothing(self, shared: services.Services, scratch: str, statement: str) -> None:
        denied = pytest.raises(psycopg.errors.InsufficientPrivilege)
        with psycopg.connect(shared.app_url(scratch), autocommit=True) as connection, denied:
            connection.execute(statement)

    def test_default_privileges_hold_in_clones(self, shared: services.Services, scratch: str) -> None:
        with psycopg.connect(shared.owner_url(scratch), autocommit=True) as owner:
            owner.execute("CREATE TABLE later (id bigint GENERATED ALWAYS AS IDENTITY, word text)")
        with psycopg.connect(shared.app_url(scratch), autocommit=True) as application:
            application.execute("INSERT INTO later (word) VALUES ('a')")
            application.execute("UPDATE later SET word = 'b'")
            application.execute("DELETE FROM later")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                application.execute("TRUNCATE later")

    def test_role_with_too_many_rights_is_corrected(self, tmp_path: Path) -> None:
        with services.services(tmp_path) as running, psycopg.connect(running.admin_url, autocommit=True) as admin:
            admin.execute("ALTER ROLE fortunes_app SUPERUSER CREATEDB")
            roles.ensure_roles(running.admin_url, running.passwords)
            query = "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = 'fortunes_app'"
            assert admin.execute(query).fetchone() == (False, False)

    def test_missing_right_of_own_server_is_named(self, shared: services.Services) -> None:
        with pytest.raises(roles.MayNot, match="CREATEROLE"):
            roles.ensure_roles(shared.owner_url(), shared.passwords)


class TestDropping:
    def test_who_may_not_be_ended_is_waited_for(self, shared: services.Services, scratch: str) -> None:
        """As autovacuum's workers are, which belong to nobody; here somebody with more rights than the owner."""
        parts = urlsplit(shared.admin_url)
        waiting = "SELECT FROM pg_stat_activity WHERE query = %s AND state = 'active'"
        with psycopg.connect(shared.admin_url, autocommit=True) as admin, ThreadPoolExecutor(1) as pool:
            with psycopg.connect(urlunsplit(parts._replace(path=f"/{scratch}"))):
                dropping = pool.submit(roles.drop_database, shared.owner_url(), scratch)
                # Refused with FORCE, it is tried without.
                eventually(lambda: admin.execute(waiting, [f'DROP DATABASE IF EXISTS "{scratch}"']).fetchall())
            dropping.result()
        assert not roles.database_exists(shared.owner_url(), scratch)


class TestTemplate:
    def test_second_use_finds_the_first(self, shared: services.Services) -> None:
        name = template.ensure_template(shared)
        with psycopg.connect(shared.owner_url(), autocommit=True) as connection:
            query = "SELECT oid FROM pg_database WHERE datname = %s"
            before = connection.execute(query, [name]).fetchone()
            assert template.ensure_template(shared) == name
            assert before is not None and connection.execute(query, [name]).fetchone() == before

    def test_name_follows_the_migrations(self, tmp_path: Path) -> None:
        migration = tmp_path / "game" / "migrations" / "0001_initial.py"
        migration.parent.mkdir(parents=True)
        migration.write_text("one")
        before = template.fingerprint(tmp_path)
        migration.write_text("two")
        assert template.fingerprint(tmp_path) != before

    def test_database_that_is_up_to_date_is_left_alone(self, shared: services.Services, scratch: str) -> None:
        assert template.ensure_current(shared, scratch) == "nothing"


class TestSupervisor:
    def test_killed_program_comes_back(self, supervisor: Supervisor) -> None:
        supervisor.start(sleeper())
        first = supervisor.pids()["sleeper"]
        os.kill(first, signal.SIGKILL)
        eventually(lambda: supervisor.pids()["sleeper"] != first)
        # A moment passes between fork and exec, in which it has no command line yet.
        eventually(lambda: "sleep" in processes.command_line(supervisor.pids()["sleeper"]))

    def test_stop_ends_the_last_first(self, tmp_path: Path) -> None:
        order = tmp_path / "order"
        supervisor = Supervisor(tmp_path, say=lambda text: None)
        for name in ("one", "two"):
            script = f"trap 'echo {name} >> {order}; exit' TERM; touch {tmp_path / name}; while :; do sleep 0.05; done"
            supervisor.start(Program(name=name, argv=["sh", "-c", script]))
            eventually((tmp_path / name).exists)
        supervisor.stop()
        assert order.read_text().split() == ["two", "one"]

    def test_program_that_ignores_the_signal_is_killed(self, tmp_path: Path) -> None:
        supervisor = Supervisor(tmp_path, say=lambda text: None)
        script = f"trap '' TERM; touch {tmp_path / 'deaf'}; while :; do sleep 0.05; done"
        supervisor.start(Program(name="deaf", argv=["sh", "-c", script], grace=0.2))
        eventually((tmp_path / "deaf").exists)
        pid = supervisor.pids()["deaf"]
        supervisor.stop()
        assert not processes.command_line(pid)

    def test_orphan_of_an_earlier_run_is_ended(self, supervisor: Supervisor) -> None:
        orphan = subprocess.Popen(["sleep", "60"])
        eventually(lambda: processes.command_line(orphan.pid) == "sleep 60")
        (supervisor.run / "sleeper.pid").write_text(str(orphan.pid))
        supervisor.start(sleeper())
        assert orphan.wait(timeout=5) == -signal.SIGTERM

    def test_reused_process_number_is_left_alone(self, supervisor: Supervisor) -> None:
        (supervisor.run / "sleeper.pid").write_text(str(os.getpid()))
        supervisor.start(sleeper())
        assert supervisor.pids()["sleeper"] != os.getpid()


class TestServices:
    @pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
    def test_no_process_is_left_behind(self, tmp_path: Path, how: signal.Signals) -> None:
        if how == signal.SIGKILL and sys.platform != "linux":
            pytest.skip("only Linux can tie a process to its parent")
        holder, pids = hold(tmp_path)
        holder.send_signal(how)
        holder.wait(timeout=20)
        eventually(lambda: not any(processes.command_line(pid) for pid in pids))

    def test_start_after_a_kill(self, tmp_path: Path) -> None:
        """The pid files of a killed run, one of them now naming a stranger, don't stop the next."""
        holder, pids = hold(tmp_path)
        holder.kill()
        holder.wait(timeout=20)
        eventually(lambda: not any(processes.command_line(pid) for pid in pids))
        (tmp_path / "postgres" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")
        with services.services(tmp_path) as running, psycopg.connect(running.admin_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)

    def test_killed_servers_come_back(self, tmp_path: Path) -> None:
        with services.services(tmp_path, say=lambda text: None) as running:
            assert running.supervisor
            for pid in running.supervisor.pids().values():
                os.kill(pid, signal.SIGKILL)
            eventually(lambda: answers(running))

    def test_only_one_run_per_folder(self, tmp_path: Path) -> None:
        with services.services(tmp_path), pytest.raises(services.AlreadyRunning), services.services(tmp_path):
            pass

    def test_strangers_are_refused(self, tmp_path: Path) -> None:
        with services.services(tmp_path) as running:
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(running.app_url().replace(running.passwords["app"], "guess"))
            with pytest.raises(redis.AuthenticationError):
                redis.Redis.from_url(running.redis_url.replace(running.passwords["valkey"], "guess")).ping()


class TestFixtures:
    def test_clock_moves_for_open_connections_and_comes_back(self, clock: Clock, db: None) -> None:
        before = database_time()
        clock.shift(timedelta(days=3))
        assert timedelta(days=3) <= database_time() - before < timedelta(days=3, minutes=1)
        clock.move_to(before - timedelta(days=1))
        assert timedelta() <= database_time() - (before - timedelta(days=1)) < timedelta(minutes=1)
        clock.restore()
        assert timedelta() <= database_time() - before < timedelta(minutes=1)

    @pytest.mark.committed
    def test_committed_really_commits(self) -> None:
        assert not connection.in_atomic_block

    def test_tests_run_as_the_application(self, db: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            assert cursor.fetchone() == (roles.APP,)


class TestSmallThings:
    def test_taken_port_means_the_next(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with processes.listen("127.0.0.1", port) as listener:
                assert port < listener.getsockname()[1] < port + processes.PORTS_TO_TRY

    def test_secrets_are_made_once_and_for_this_user_only(self, tmp_path: Path) -> None:
        path = secrets.ensure(tmp_path / "deep" / "secrets.json")
        content = path.read_text()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert secrets.ensure(path).read_text() == content
        assert [file.name for file in path.parent.iterdir()] == ["secrets.json"]

    def test_secrets_of_before_are_completed_and_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "secrets.json"
        old = {"django_secret_key": "x", "access_token_keys": {"k7": "00", "k1": "01"}}
        path.write_text(json.dumps(old))
        with ThreadPoolExecutor(8) as pool:
            contents = set(pool.map(lambda _: secrets.ensure(path).read_text(), range(8)))
        assert len(contents) == 1
        completed = json.loads(contents.pop())
        assert set(completed) == set(secrets.fresh())
        assert list(completed["access_token_keys"]) == ["k7", "k1"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [file.name for file in tmp_path.iterdir()] == ["secrets.json"]

    @pytest.mark.parametrize(
        ("word", "given", "lacks"), [("", "", set()), ("complete", "{}", set()), ("web", "{}", {*secrets.fresh()})]
    )
    def test_secrets_for_production(self, word: str, given: str, lacks: set[str]) -> None:
        command = [sys.executable, "-m", "config.local.secrets", *word.split()]
        done = subprocess.run(command, cwd=environment.ROOT, input=given, capture_output=True, text=True, check=True)
        assert set(secrets.fresh()) - set(json.loads(done.stdout)) == lacks


def hold(directory: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """Another process with services in this folder, and the numbers of what it started."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(directory)], cwd=environment.ROOT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    words = holder.stdout.readline().split()
    assert words[:1] == ["pids"] and len(words) == 3
    return holder, [int(word) for word in words[1:]]


def database_time() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT fortunes_clock()")
        moment: datetime = cursor.fetchone()[0]
        return moment


def answers(running: services.Services) -> bool:
    try:
        psycopg.connect(running.admin_url, connect_timeout=2).close()
        return bool(redis.Redis.from_url(running.redis_url).ping())
    except (psycopg.OperationalError, redis.RedisError):
        return False
