"""A migrated database that others are cloned from, so that starts and test runs don't migrate again and again."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from config.local import roles
from config.local.environment import ROOT
from config.local.errors import LocalError
from config.local.services import Services

PREFIX = "fortunes_template_"
# What decides how a migrated database looks; the lock and the settings stand for the migrations of other packages.
SOURCES = ("*/migrations/*.py", "*/sql/**/*.sql", "requirements.lock", "config/settings.py")
ADVISORY_LOCK = 5_888_001


class MigrationFailed(LocalError):
    """`manage.py migrate` ended with an error, which the message holds."""


def fingerprint(root: Path = ROOT) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in root.glob(pattern)):
        digest.update(f"{path.relative_to(root)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def ensure_template(services: Services) -> str:
    """The name of a template of the present migrations; made if it's missing, and older ones are dropped."""
    name = PREFIX + fingerprint()
    with _one_at_a_time(services):
        if not roles.database_exists(services.owner_url(), name):
            _make(services, name)
            _drop_others(services, keep=name)
    return name


def clone(services: Services, name: str) -> None:
    """A new, migrated database, in place of one with this name."""
    template = ensure_template(services)
    roles.drop_database(services.owner_url(), name)
    roles.create_database(services.owner_url(), name, template=template)
    _mark(services, name)


def ensure_current(services: Services, name: str) -> str:
    """Make the database or migrate it, and keep what it holds. Returns what was done: cloned, migrated or nothing."""
    if not roles.database_exists(services.owner_url(), name):
        clone(services, name)
        return "cloned"
    if _marked(services, name) == fingerprint():
        return "nothing"
    migrate(services, name)
    _mark(services, name)
    return "migrated"


def migrate(services: Services, name: str) -> None:
    """As the owner, in a process of its own: this package doesn't know Django."""
    roles.ensure_grants(services.owner_url(name))
    environment = services.environment(name) | {"DATABASE_URL": services.owner_url(name)}
    command = [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MigrationFailed(f"manage.py migrate failed:\n{done.stdout}{done.stderr}")


def _make(services: Services, name: str) -> None:
    # Under another name until it's whole: the final name is the sign that the migrations went through.
    unfinished = f"{name}_unfinished"
    roles.drop_database(services.owner_url(), unfinished)
    roles.create_database(services.owner_url(), unfinished)
    migrate(services, unfinished)
    with psycopg.connect(services.owner_url(), autocommit=True) as connection:
        statement = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        connection.execute(statement.format(sql.Identifier(unfinished), sql.Identifier(name)))


def _drop_others(services: Services, *, keep: str) -> None:
    with psycopg.connect(services.owner_url(), autocommit=True) as connection:
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s) AND datname <> %s"
        names = [row[0] for row in connection.execute(query, [PREFIX, keep])]
    for name in names:
        roles.drop_database(services.owner_url(), name)


@contextmanager
def _one_at_a_time(services: Services) -> Iterator[None]:
    """Two starts on one server would otherwise both make the template."""
    with psycopg.connect(services.owner_url(), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
        yield


def _mark(services: Services, name: str) -> None:
    """The comment on a database tells which migrations it has seen."""
    with psycopg.connect(services.owner_url(), autocommit=True) as connection:
        statement = sql.SQL("COMMENT ON DATABASE {} IS {}")
        connection.execute(statement.format(sql.Identifier(name), fingerprint()))


def _marked(services: Services, name: str) -> str | None:
    with psycopg.connect(services.owner_url(), autocommit=True) as connection:
        query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
        row = connection.execute(query, [name]).fetchone()
        return row[0] if row else None
