"""`./dev bench NAME`: what measures speed, each run against servers of its own (docs/performance.md).

A run is a module with `HELP`, `arguments(parser)` and `run(options, say)`, which returns a `figures.Report`. It asserts
no time: it prints what it measured, with a no-op of the same servers beside it, and checks that everything was right.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Protocol

from bench.figures import Report

Say = Callable[[str], None]

# Modules below this package, in the order of the help.
NAMES = ("gifts", "ballots", "sockets", "broadcast", "resume")


class Run(Protocol):
    HELP: str

    def arguments(self, parser: ArgumentParser) -> None: ...

    def run(self, options: Mapping[str, Any], say: Say) -> Report: ...


def runs() -> dict[str, Run]:
    """Every run by name."""
    return {name: import_module(f"{__name__}.{name}") for name in NAMES}
