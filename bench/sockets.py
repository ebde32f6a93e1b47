"""`./dev bench sockets`: what an idle socket costs."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from bench import Say, crowds, figures

HELP = "thousands of idle sockets on one web process: memory of each, and how fast they connect"

SETTLE_S = 3.0


def arguments(parser: ArgumentParser) -> None:
    crowds.arguments(parser)


def run(options: Mapping[str, Any], say: Say) -> figures.Report:
    report = figures.Report("sockets")
    count = options["sockets"] - crowds.FIRST
    with crowds.gathered(options, say) as crowd:
        crowd.do("connect", crowds.FIRST)
        time.sleep(SETTLE_S)
        before = crowd.system.resident("web-a")
        say("connecting …")
        joined = crowd.do("connect", count)
        time.sleep(SETTLE_S)
        report.notes["memory of a socket, kB"] = round((crowd.system.resident("web-a") - before) / 1000 / count, 1)
        report.notes["memory of the process without, MB"] = round(before / 1e6)
        rate = count / joined["seconds"]
        report.rows.append(figures.Row("connect", count, round(rate, 1), cpu=joined["cpu"]))
        report.faults += crowd.do("broadcasts", 0)["faults"]
        report.faults += crowd.system.inside("check")
    report.invariants_ok = not report.faults
    return report
