"""The two roles of the database: the owner migrates, the application runs. Also used in production.

`fortunes_app` gets what it may do on tables from default privileges that each database carries; migrations then take
UPDATE and DELETE on append-only tables away from it.
"""

from collections.abc import Mapping
from contextlib import suppress

import psycopg
from psycopg import errors, sql

from config.local.errors import LocalError

OWNER, APP = "fortunes_owner", "fortunes_app"
# How often a database is dropped in which somebody is whom the owner may not end.
TRIES = 5
APP_TIMEOUTS = {
    "statement_timeout": "5s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
}
ATTRIBUTES = {
    OWNER: "LOGIN NOSUPERUSER CREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS",
    APP: "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS",
}
# Superuser, replication and row security may only be named by a superuser, and are off for new roles anyway.
ATTRIBUTES_UNPRIVILEGED = {OWNER: "LOGIN CREATEDB NOCREATEROLE", APP: "LOGIN NOCREATEDB NOCREATEROLE"}

DATABASE_GRANTS = (
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "GRANT USAGE, CREATE ON SCHEMA public TO fortunes_owner",
    "GRANT USAGE ON SCHEMA public TO fortunes_app",
)
DEFAULT_PRIVILEGES = (
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO fortunes_app",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO fortunes_app",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO fortunes_app",
)


class MayNot(LocalError):
    """The administrator's URL lacks a right; the message names it."""


def ensure_roles(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Create or correct both roles; `passwords` has the keys "owner" and "app"."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        superuser, may_create_roles = _rights(connection)
        if not may_create_roles:
            raise MayNot(
                f"The role {connection.info.user!r} of DATABASE_URL can't create roles. Give it the right "
                f'(ALTER ROLE "{connection.info.user}" CREATEROLE CREATEDB), or use a superuser.'
            )
        attributes = ATTRIBUTES if superuser else ATTRIBUTES_UNPRIVILEGED
        try:
            for role, password in ((OWNER, passwords["owner"]), (APP, passwords["app"])):
                _ensure_role(connection, role, password, attributes[role])
            for setting, value in APP_TIMEOUTS.items():
                _run(connection, "ALTER ROLE {} SET {} = {}", sql.Identifier(APP), sql.Identifier(setting), value)
        except psycopg.errors.InsufficientPrivilege as error:
            raise MayNot(f"The role {connection.info.user!r} of DATABASE_URL may not change a role: {error}") from error


def _rights(connection: psycopg.Connection) -> tuple[bool, bool]:
    row = connection.execute(
        "SELECT rolsuper, rolsuper OR (rolcreaterole AND rolcreatedb) FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    return row if row else (False, False)


def _ensure_role(connection: psycopg.Connection, role: str, password: str, attributes: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    # ALTER as well as CREATE, so that a role made by hand with too many rights is brought back to what is written here.
    verb = "ALTER" if known else "CREATE"
    _run(connection, f"{verb} ROLE {{}} WITH {attributes} PASSWORD {{}}", sql.Identifier(role), password)


def create_database(owner_url: str, name: str, *, template: str | None = None) -> None:
    """A database of the owner's. A clone carries its template's grants and default privileges."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        if template:
            _run(connection, "CREATE DATABASE {} TEMPLATE {}", sql.Identifier(name), sql.Identifier(template))
        else:
            _run(connection, "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", sql.Identifier(name))
        # Connecting is a right of the database and isn't cloned with it.
        _run(connection, "REVOKE ALL ON DATABASE {} FROM PUBLIC", sql.Identifier(name))
        _run(connection, "GRANT CONNECT ON DATABASE {} TO {}", sql.Identifier(name), sql.Identifier(APP))


def drop_database(owner_url: str, name: str) -> None:
    """With whoever is in it, if the owner may end them; others are waited for."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        for _ in range(TRIES):
            with suppress(errors.InsufficientPrivilege):
                _run(connection, "DROP DATABASE IF EXISTS {} WITH (FORCE)", sql.Identifier(name))
                return
            # A worker of autovacuum, which belongs to nobody. The server ends it where nothing is forced, and waits for
            # five seconds until the database is empty.
            with suppress(errors.ObjectInUse):
                _run(connection, "DROP DATABASE IF EXISTS {}", sql.Identifier(name))
                return
        raise LocalError(f"somebody uses the database {name} who may not be ended")


def database_exists(owner_url: str, name: str) -> bool:
    with psycopg.connect(owner_url, autocommit=True) as connection:
        return bool(connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone())


def ensure_grants(owner_url: str) -> None:
    """What the application may do in the database of this URL; run as the owner, before the first migration."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        for statement in (*DATABASE_GRANTS, *DEFAULT_PRIVILEGES):
            _run(connection, statement)


def _run(connection: psycopg.Connection, statement: str, *values: sql.Composable | str) -> None:
    """Utility statements take no parameters, so that values are quoted into the text."""
    connection.execute(sql.SQL(statement).format(*values))
