"""`./dev soak plans`: with as many rows as a real season has, no request and no page reads a table whole."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from config.soak import Say, at_least, suites

HELP = "every API call and admin page on a large database: at most 10 statements, no growing table read whole"


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--rows", type=at_least(10_000), default=1_000_000, help="draws, hands and the rest (default a million)"
    )


def run(options: Mapping[str, Any], say: Say) -> int:
    say(f"{options['rows']:,} rows a table; a million take about 15 minutes and 10 GB")
    return suites.run("tests/api/test_plans.py", "tests/admin/test_plans.py", FORTUNES_CROWD_ROWS=str(options["rows"]))
