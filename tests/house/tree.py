"""The checkout as text, for the tests that hold it to the house rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from config.local.environment import ROOT

APPS = ("fortunes", "accounts", "cards", "redpackets")
OURS = (*APPS, "config", "tests", "bench")


def python(*folders: str) -> Iterator[Path]:
    """The Python files below these folders, without migrations, which are history."""
    for folder in folders:
        yield from (path for path in sorted((ROOT / folder).rglob("*.py")) if "migrations" not in path.parts)


def statements() -> Iterator[Path]:
    """Every SQL file of the apps."""
    for app in APPS:
        yield from sorted((ROOT / app).rglob("*.sql"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))
