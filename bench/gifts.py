"""`./dev bench gifts`: a gift by REST and by socket, until the receiver's socket on the other process has it."""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import Say, figures, servers
from config.soak import at_least

HELP = "gifts by REST and by socket to the receiver's socket on the other process: closed loops and 100 a second"

LOOPS = (16, 64)
RATE = 100
CROSSING = 64
# By so many gifts a second one of two may be ahead of the other, at most.
DRIFT = 30
NOOPS = {"rest gift": "rest no-op", "socket gift": "socket no-op"}


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--seconds", type=at_least(1), default=10, help="of each case (default 10)")
    parser.add_argument("--pairs", type=at_least(CROSSING), default=512, help="of friends (default 512)")


def run(options: Mapping[str, Any], say: Say) -> figures.Report:
    report = figures.Report("gifts")
    cases = _cases(options["seconds"])
    with servers.running(say) as system, tempfile.NamedTemporaryFile() as file:
        say(f"{options['pairs']} pairs of friends")
        stage = system.inside("pairs", str(options["pairs"]), "3")
        crossing = system.inside("pairs", "1", str(CROSSING + DRIFT * options["seconds"]))
        say(f"{len(cases)} cases of {options['seconds']} s")
        _measure(system, report, {**stage, "cases": cases, "file": file.name})
        acknowledged = Path(file.name).read_text()
        # Between two players only: all of them want the same two hands.
        case = {
            "case": "rest gift, crossing, one pair",
            "way": "rest",
            "loops": CROSSING,
            "seconds": options["seconds"],
        }
        _measure(system, report, {**crossing, "cases": [case], "file": file.name})
        Path(file.name).write_text(f"{acknowledged}\n{Path(file.name).read_text()}")
        report.faults += system.inside("check", file.name)
    report.invariants_ok = not report.faults
    figures.with_ratios(report.rows, NOOPS)
    return report


def _cases(seconds: int) -> list[dict[str, Any]]:
    """The first one is not counted: caches fill, statements are planned."""
    cases = [{"case": "", "way": way, "loops": 16, "seconds": 1} for way in ("rest", "socket")]
    for way in ("rest", "socket"):
        for loops in LOOPS:
            for what, name in ((f"{way} no-op", f"{way} no-op"), (way, f"{way} gift")):
                cases.append({"case": name, "way": what, "loops": loops, "seconds": seconds})
        cases.append({"case": f"{way} gift, {RATE}/s", "way": way, "rate": RATE, "seconds": seconds})
    return cases


def _measure(system: servers.Servers, report: figures.Report, task: dict[str, Any]) -> None:
    measured = system.load("gifts", {**task, "most": CROSSING})
    report.faults += measured["faults"]
    for given, found in zip(task["cases"], measured["rows"], strict=True):
        if found["errors"]:
            report.faults.append(f"{given['case'] or 'warm-up'}: {len(found['errors'])} errors: {found['errors'][0]}")
        if given["case"]:
            errors = len(found["errors"])
            rest = {"seconds": found["seconds"], "cpu": found["cpu"], "errors": errors}
            connections = given.get("loops", 0)
            report.rows.append(figures.row(given["case"], connections, times_s=found["times_s"], **rest))
