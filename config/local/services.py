"""PostgreSQL and Valkey for `./dev`: embedded under one folder, or those of DATABASE_URL and REDIS_URL."""

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlsplit, urlunsplit

from config.local import environment, postgres, processes, roles, secrets, valkey
from config.local.errors import LocalError
from config.local.supervisor import Supervisor

LOW_DISK_BYTES = 1 << 30
# How many test runs may go on at once.
SLOTS = 8


class AlreadyRunning(LocalError):
    """Another process runs services in this folder."""


@dataclass(frozen=True)
class Services:
    """Addresses of running services. `admin_url` may create roles; it's only for this package."""

    admin_url: str
    redis_url: str
    passwords: Mapping[str, str]
    supervisor: Supervisor | None = None

    def owner_url(self, database: str | None = None) -> str:
        return self._url(roles.OWNER, self.passwords["owner"], database)

    def app_url(self, database: str | None = None) -> str:
        return self._url(roles.APP, self.passwords["app"], database)

    def environment(self, database: str, *, prefix: str = "fortunes") -> dict[str, str]:
        """The environment in which the application uses this database as its own role."""
        return os.environ | {
            "DATABASE_URL": self.app_url(database),
            "DATABASE_OWNER_URL": self.owner_url(database),
            "REDIS_URL": self.redis_url,
            "REDIS_PREFIX": prefix,
            "FORTUNES_SECRETS": os.environ.get("FORTUNES_SECRETS", str(environment.SECRETS)),
            "DJANGO_DEBUG": os.environ.get("DJANGO_DEBUG", "1"),
        }

    def describe(self) -> str:
        """For a child process, which gets the services back with `described`."""
        return json.dumps({"admin_url": self.admin_url, "redis_url": self.redis_url, "passwords": dict(self.passwords)})

    def _url(self, role: str, password: str, database: str | None) -> str:
        parts = urlsplit(self.admin_url)
        address = parts.netloc.rpartition("@")[2]
        path = f"/{database}" if database else parts.path
        return urlunsplit((parts.scheme, f"{role}:{quote(password, safe='')}@{address}", path, parts.query, ""))


def described(text: str) -> Services:
    return Services(**json.loads(text))


@contextmanager
def services(directory: Path, *, say: Callable[[str], None] = print) -> Iterator[Services]:
    """Run the services in `directory` and end them afterwards. Roles exist when this yields, databases don't.

    DATABASE_URL and REDIS_URL in the environment of `./dev`, each by itself, name a server of the developer's own; the
    role in DATABASE_URL must be able to create roles and databases.
    """
    with _claimed(directory), _running(directory, directory / "passwords.json", say) as running:
        yield running


@contextmanager
def _running(directory: Path, passwords: Path, say: Callable[[str], None]) -> Iterator[Services]:
    known = secrets.passwords(passwords)
    secrets.ensure(environment.SECRETS)
    with _supervised(directory, say) as supervisor:
        admin_url = os.environ.get(environment.OWN_DATABASE) or _start_postgres(directory, known, supervisor)
        redis_url = os.environ.get(environment.OWN_REDIS) or _start_valkey(directory, known, supervisor)
        roles.ensure_roles(admin_url, known)
        yield Services(admin_url, redis_url, known, supervisor)


@contextmanager
def first_free(directory: Path, *, say: Callable[[str], None] = print) -> Iterator[tuple[str, Services]]:
    """Services in `directory/1`, or in the next numbered folder that no other process uses, and its number."""
    for slot in map(str, range(1, SLOTS + 1)):
        try:
            claim = _claimed(directory / slot)
        except AlreadyRunning:
            continue
        # The checkout's passwords: on a server of the developer's own, `./dev up` may be using the same roles.
        with claim, _running(directory / slot, environment.PASSWORDS, say) as running:
            yield slot, running
        return
    raise AlreadyRunning(f"{SLOTS} other runs use {directory}; wait for one of them to end.")


def _claimed(directory: Path) -> IO[str]:
    # Once more after a moment: who only looks whether it's locked holds the lock for an instant.
    for pause in (0.1, 0.1, 0.0):
        try:
            return processes.lock(environment.lock_file(directory))
        except processes.Locked:
            time.sleep(pause)
    raise AlreadyRunning(str(directory))


@contextmanager
def _supervised(directory: Path, say: Callable[[str], None]) -> Iterator[Supervisor]:
    supervisor = Supervisor(directory, say)
    ended = threading.Event()
    threading.Thread(target=_watch_disk, args=(directory, say, ended), daemon=True).start()
    try:
        yield supervisor
    finally:
        ended.set()
        supervisor.stop()


def _start_postgres(directory: Path, passwords: Mapping[str, str], supervisor: Supervisor) -> str:
    server = postgres.prepare(directory / "postgres", passwords["superuser"])
    supervisor.start(server.program())
    supervisor.wait_ready("postgres", server.is_ready)
    return server.url()


def _start_valkey(directory: Path, passwords: Mapping[str, str], supervisor: Supervisor) -> str:
    server = valkey.prepare(directory / "valkey", passwords["valkey"])
    supervisor.start(server.program())
    supervisor.wait_ready("valkey", server.is_ready)
    return server.url


def _watch_disk(directory: Path, say: Callable[[str], None], ended: threading.Event) -> None:
    """A full disk makes PostgreSQL panic; say so while there's still room."""
    was_low = False
    while True:
        is_low = shutil.disk_usage(directory).free < LOW_DISK_BYTES
        if is_low and not was_low:
            say(f"Less than 1 GiB is free under {directory}. PostgreSQL stops working when the disk is full.")
        was_low = is_low
        if ended.wait(10):
            return
