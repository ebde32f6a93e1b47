"""`./dev bench broadcast`: one broadcast, until the last of thousands of sockets has it."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from bench import Say, crowds, figures
from config.soak import at_least

HELP = "one broadcast to thousands of sockets of one web process: from before the transaction to the last of them"

EVERY_S = 2.0


def arguments(parser: ArgumentParser) -> None:
    crowds.arguments(parser)
    parser.add_argument("--times", type=at_least(1), default=10, help="how many broadcasts (default 10)")


def run(options: Mapping[str, Any], say: Say) -> figures.Report:
    report = figures.Report("broadcast")
    with crowds.gathered(options, say) as crowd:
        crowd.do("connect", options["sockets"])
        say(f"{options['times']} broadcasts …")
        began = crowd.system.inside("announce", crowd.campaign, str(options["times"]), str(EVERY_S))
        # The first broadcast of a campaign is its opening.
        heard = crowd.do("broadcasts", 1 + len(began))
        times = sorted((int(seq), first, last) for seq, (first, last) in heard["heard"].items())
        report.faults += heard["faults"]
        if len(times) != len(began) or any(last == float("inf") for _, _, last in times):
            report.faults.append(f"of {len(began)} broadcasts {len(times)} were heard, not all by everybody")
        for case, place in (("broadcast, the first to hear", 1), ("broadcast, the last to hear", 2)):
            took = [entry[place] - start for entry, start in zip(times, began, strict=False)]
            row = figures.row(case, options["sockets"], times_s=took, seconds=sum(took))
            report.rows.append(row)
        report.faults += crowd.system.inside("check")
    report.invariants_ok = not report.faults
    return report
