"""What the database's moods look like from outside."""

from __future__ import annotations

import psycopg.errors
import pytest
from django.db import DataError, IntegrityError, OperationalError

from config import problems
from fortunes import errors


def caused(outer: type[Exception], cause: Exception | None) -> Exception:
    error = outer("said the database")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "cause",
    [
        psycopg.errors.DeadlockDetected(),
        psycopg.errors.SerializationFailure(),
        psycopg.errors.TooManyConnections(),
        psycopg.errors.QueryCanceled(),
        psycopg.errors.AdminShutdown(),
        psycopg.errors.LockNotAvailable(),
        psycopg.OperationalError("connection refused"),
    ],
)
def test_not_now_is_503_with_a_time_to_wait(cause: Exception) -> None:
    response = problems.handle(caused(OperationalError, cause), {})

    assert response is not None
    assert (response.status_code, response.data["code"], response["Retry-After"]) == (503, "busy", "1")


def test_a_full_disk_takes_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "_disk_full_at", float("-inf"))
    response = problems.handle(caused(OperationalError, psycopg.errors.DiskFull()), {})

    assert response is not None
    assert (response.status_code, response.data["code"], response["Retry-After"]) == (503, "busy", "30")
    assert problems.disk_full_at() > 0


@pytest.mark.parametrize(
    "error",
    [
        caused(IntegrityError, psycopg.errors.UniqueViolation()),
        caused(DataError, psycopg.errors.NumericValueOutOfRange()),
        ValueError("a bug"),
    ],
)
def test_an_impossible_state_is_not_hidden(error: Exception) -> None:
    assert problems.handle(error, {}) is None


def test_pointers_are_escaped_and_nested() -> None:
    detail = {"a/b": ["wrong"], "c~d": {"0": [{"e": ["worse"]}]}, "non_field_errors": ["all of it"]}
    assert [fault["pointer"] for fault in problems.pointers(detail)] == ["/a~1b", "/c~0d/0/0/e", ""]


def test_codes_are_unique() -> None:
    codes = [code for _, code, _ in problems.known()]
    assert len(codes) == len(set(codes))
    assert errors.Busy.code in codes
