"""The database of a test process: a clone of the migrated template, used as the application's own role."""

import os
from collections.abc import Iterator
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from config.local import services, template
from tests.plugins.clock import Clock


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "committed: uses committed data, which stays; the test makes its own campaign")
    if "FORTUNES_TEST_SERVICES" not in os.environ:
        pytest.exit("The tests need services: run ./dev test, which takes pytest's options too.", returncode=4)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """In place of pytest-django's, which would migrate as the application's role. The invariants have the last word."""
    running = services.described(os.environ["FORTUNES_TEST_SERVICES"])
    template.clone(running, connections["default"].settings_dict["NAME"])
    yield
    with django_db_blocker.unblock():
        _check_invariants()
        connections.close_all()


@pytest.fixture
def committed_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Real commits without a flush afterwards, which would also delete what every test needs."""
    with django_db_blocker.unblock():
        yield
        connections.close_all()


@pytest.fixture(autouse=True)
def _committed_by_marker(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("committed"):
        request.getfixturevalue("committed_db")


@pytest.fixture
def owner_connection(django_db_setup: None) -> Iterator[psycopg.Connection]:
    """The test's database as the role that owns its tables; autocommit."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as connection:
        yield connection


@pytest.fixture
def clock(owner_connection: psycopg.Connection) -> Iterator[Clock]:
    """The database's clock, which the test may move."""
    clock = Clock(owner_connection)
    yield clock
    clock.restore()


@pytest.fixture
def rewritable(owner_connection: psycopg.Connection) -> Iterator[None]:
    """The application's role may rewrite what was put to the vote or announced, as somebody with more rights could."""
    columns = {"fortunes_option": "number, changes, strikes_id", "fortunes_amendment": "changes"}
    for table, names in columns.items():
        owner_connection.execute(f"GRANT UPDATE ({names}) ON {table} TO fortunes_app")
    yield
    for table, names in columns.items():
        owner_connection.execute(f"REVOKE UPDATE ({names}) ON {table} FROM fortunes_app")


def _check_invariants() -> None:
    """Whatever the tests left behind must still balance."""
    report, broken = StringIO(), None
    try:
        call_command("check_invariants", stdout=report, stderr=report)
    except (CommandError, SystemExit) as error:
        broken = error
    if broken:
        pytest.fail(
            f"The invariants don't hold at the end of the session: {broken}\n{report.getvalue()}", pytrace=False
        )
