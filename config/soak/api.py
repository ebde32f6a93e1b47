"""`./dev soak api`: hostile and well-formed requests for as long as one likes, against a real server."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from config.soak import Say, at_least, suites

HELP = "schemathesis over the whole API, stateful, for a given time: no server error, every answer as documented"


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--minutes", type=at_least(1), default=30, help="how long (default 30)")
    parser.add_argument("--seed", type=at_least(0), help="of a run that is to be repeated (default: a new one)")


def run(options: Mapping[str, Any], say: Say) -> int:
    seed = secrets.randbelow(2**31) if options["seed"] is None else options["seed"]
    say(f"{options['minutes']} minutes with --seed {seed}")
    return suites.run(
        "tests/api/test_schema.py",
        FORTUNES_FUZZ_SECONDS=str(60 * options["minutes"]),
        FORTUNES_FUZZ_SEED=str(seed),
    )
