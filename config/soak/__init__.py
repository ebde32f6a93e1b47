"""`./dev soak NAME`: runs that take long, each against servers of its own. CI has them in small.

A run is a module with `HELP`, `arguments(parser)` and `run(options, say)`, which returns the exit code: 0 if everything
was right, 1 if not. It stops by itself, cleans up when it is interrupted, and says in a table what it found.
"""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Protocol

Say = Callable[[str], None]

# Modules below this package, in the order of the help.
NAMES = ("demo", "settlement", "votes", "restore", "fuzz", "api", "plans")


class Run(Protocol):
    HELP: str

    def arguments(self, parser: ArgumentParser) -> None: ...

    def run(self, options: Mapping[str, Any], say: Say) -> int: ...


def runs() -> dict[str, Run]:
    """Every run by name."""
    return {name: import_module(f"{__name__}.{name}") for name in NAMES}


def at_least(least: int) -> Callable[[str], int]:
    """A type for `add_argument`."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise ArgumentTypeError(f"a number, at least {least}")
        return int(text)

    return number
