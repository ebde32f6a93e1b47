"""`./dev bench ballots`: votes by REST and by socket, and a storm of all players; the tally is exact afterwards."""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from bench import Say, figures, servers
from config.soak import at_least

HELP = "ballots by REST and by socket in closed loops, and a storm by all players; the tally is exact afterwards"

LOOPS = (16, 64)
STORM = 256
WATCHERS = 20
NOOPS = {"rest ballot": "rest no-op", "socket ballot": "socket no-op"}


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--seconds", type=at_least(1), default=10, help="of each closed loop, at most (default 10)")
    parser.add_argument("--players", type=at_least(2 * WATCHERS), default=10_000, help="who vote (default 10,000)")


def run(options: Mapping[str, Any], say: Say) -> figures.Report:
    report = figures.Report("ballots")
    cases = _cases(options["seconds"])
    votes = sum("proposal" in case for case in cases)
    with servers.running(say) as system, tempfile.NamedTemporaryFile() as file:
        say(f"{options['players']} players, {votes} votes")
        stage = system.inside("electorate", str(options["players"]), str(votes))
        proposals = iter(stage.pop("proposals"))
        cases = [{**case, "proposal": next(proposals)} if "proposal" in case else case for case in cases]
        # Half of them vote by socket in the storm.
        task = {**stage, "cases": cases, "file": file.name, "sockets": options["players"] // 2, "most": STORM}
        say(f"{len(cases)} cases, of {options['seconds']} s and until all have voted")
        measured = system.load("ballots", task)
        report.faults += measured["faults"]
        for given, found in zip(cases, measured["rows"], strict=True):
            _note(report, given, found)
        report.faults += system.inside("count", file.name)
    report.invariants_ok = not report.faults
    figures.with_ratios(report.rows, NOOPS)
    return report


def _cases(seconds: int) -> list[dict[str, Any]]:
    """The first ones are not counted: caches fill, statements are planned."""
    vote = {"proposal": ""}
    cases: list[dict[str, Any]] = [
        {"case": "", "way": way, "loops": 16, "seconds": 1, **vote} for way in ("rest", "socket")
    ]
    for way in ("rest", "socket"):
        for loops in LOOPS:
            measured = {"way": way, "loops": loops, "seconds": seconds}
            cases += [{"case": f"{way} no-op", **measured}, {"case": f"{way} ballot", **measured, **vote}]
    # Everybody votes, however long it takes.
    cases.append({"case": "storm by both, watched", "way": "both", "loops": STORM, "watchers": WATCHERS, **vote})
    return cases


def _note(report: figures.Report, given: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    errors = found["errors"]
    if errors:
        report.faults.append(f"{given['case'] or 'warm-up'}: {len(errors)} errors: {errors[0]}")
    if given["case"]:
        rest = {"seconds": found["seconds"], "cpu": found["cpu"], "errors": len(errors)}
        report.rows.append(figures.row(given["case"], given["loops"], times_s=found["times_s"], **rest))
