"""Migrations are complete, reversible, and safe to run beside a live season."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django_migration_linter import MigrationLinter

from config.local import roles, services, template
from config.local.environment import ROOT
from tests.house import tree

SQUAWK = str(Path(sys.executable).with_name("squawk"))
# Narrow columns are meant: a season writes hundreds of millions of rows. The timeouts come with the connection that
# migrates (docs/operations.md), not with each file.
MEANT = {
    "prefer-text-field",
    "prefer-bigint-over-smallint",
    "prefer-bigint-over-int",
    "require-lock-timeout",
    "require-statement-timeout",
}
# Nobody waits for a lock on a table that the same installation has just made.
HARMLESS_WHEN_EMPTY = {"adding-foreign-key-constraint", "adding-required-field"}


def ours() -> Iterator[tuple[str, str, bool]]:
    """(app, name, whether it is an app's first) of every migration of ours."""
    for (app, name), migration in sorted(MigrationLoader(connection).disk_migrations.items()):
        if app in tree.APPS:
            yield app, name, bool(migration.initial)


def squawk(file: Path, excluded: set[str]) -> subprocess.CompletedProcess[str]:
    command = [SQUAWK, "--pg-version=15", f"--exclude={','.join(sorted(excluded))}", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_none_is_missing(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_squawk_finds_nothing(committed_db: None, tmp_path: Path) -> None:
    """Outside a transaction, in which indexes can't be made concurrently."""
    for app, name, first in ours():
        text = StringIO()
        call_command("sqlmigrate", app, name, stdout=text)
        file = tmp_path / f"{app}-{name}.sql"
        file.write_text(text.getvalue())
        done = squawk(file, MEANT | HARMLESS_WHEN_EMPTY if first else MEANT)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE cards_hand ADD COLUMN luck bigint NOT NULL;",
        "CREATE INDEX draw_luck ON cards_draw (kind);",
        "ALTER TABLE cards_draw ADD CONSTRAINT draw_source FOREIGN KEY (source) REFERENCES cards_source (id);",
        "ALTER TABLE accounts_player RENAME COLUMN nickname TO name;",
        "ALTER TABLE cards_trade ALTER COLUMN state TYPE text;",
    ],
)
def test_squawk_finds_what_would_stop_a_season(tmp_path: Path, statement: str) -> None:
    file = tmp_path / "planted.sql"
    file.write_text(f"BEGIN;\n{statement}\nCOMMIT;\n")
    assert squawk(file, MEANT).returncode == 1


def test_old_code_runs_on_the_new_schema(committed_db: None) -> None:
    """What django-migration-linter looks for: a rolling restart has both for a while."""
    linter = MigrationLinter(
        str(ROOT),
        include_apps=list(tree.APPS),
        no_cache=True,
        quiet=["ok", "warning", "ignore"],
        analyser_string="postgresql",
    )
    linter.lint_all_migrations()
    assert not linter.has_errors


def test_every_migration_can_be_taken_back(django_db_setup: None) -> None:
    """To nothing and up again, as the owner of a scratch database."""
    running = services.described(os.environ["FORTUNES_TEST_SERVICES"])
    name = f"fortunes_backwards_{os.getpid()}"
    template.clone(running, name)
    environment = running.environment(name) | {"DATABASE_URL": running.owner_url(name)}
    try:
        for target in (["fortunes", "zero"], []):
            command = [sys.executable, "manage.py", "migrate", *target, "--verbosity", "0"]
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
    finally:
        roles.drop_database(running.owner_url(), name)
