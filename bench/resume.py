"""`./dev bench resume`: thousands of sockets come back at once, with gaps."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from bench import Say, crowds, figures
from config.soak import at_least

HELP = "thousands of sockets reconnect at once and resume: until each has what it missed; none is lost or doubled"


def arguments(parser: ArgumentParser) -> None:
    crowds.arguments(parser)
    parser.add_argument("--missed", type=at_least(1), default=3, help="events of each player (default 3)")


def run(options: Mapping[str, Any], say: Say) -> figures.Report:
    report = figures.Report("resume")
    with crowds.gathered(options, say) as crowd:
        crowd.do("connect", options["sockets"])
        crowd.do("cut")
        newest = crowd.system.inside("tell", crowd.campaign, str(options["missed"]))
        say("everybody comes back …")
        back = crowd.do("resume", newest)
        report.notes["seconds until the last had everything"] = round(back["seconds"], 2)
        rest = {"seconds": back["seconds"], "cpu": back["cpu"]}
        report.rows.append(figures.row("resume", options["sockets"], times_s=back["times_s"], **rest))
        report.faults += back["faults"]
        report.faults += crowd.system.inside("check")
    report.invariants_ok = not report.faults
    return report
