"""`./dev soak demo`: demo seasons with accidents in them, each of which must end right."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from config.client.outages import Outage
from config.demo import systems
from config.demo.log import Log
from config.demo.outages import Done
from config.demo.staging import Plan
from config.local import environment
from config.local.stack import Stack
from config.soak import Say, at_least, faults, recovery
from config.soak.faults import Planned, Saboteur, Season
from config.soak.recovery import Cost, Struck

HELP = "demo seasons in which worker, web, PostgreSQL and Valkey are killed at random moments; each must end right"

LOOK_EVERY_S = 0.003
# So short that every session is renewed during the season.
ACCESS_TOKEN_LIFETIME_S = 25
# A season that takes this much longer than planned hangs.
PATIENCE_S = 240.0
SHAPE = replace(systems.SHAPE, beats=2, settings={"ACCESS_TOKEN_LIFETIME_S": str(ACCESS_TOKEN_LIFETIME_S)})
FAULTS_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one run; `wrong` is empty where all is well."""

    number: int
    wrong: list[str]
    costs: list[Cost]


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--runs", type=at_least(1), default=20)
    parser.add_argument("--seed", type=int, help="that a table has printed, to have the same accidents again")
    parser.add_argument("--first", type=at_least(1), default=1, help="number of the first run, to repeat a later one")
    parser.add_argument("--players", type=at_least(20), default=80)
    parser.add_argument("--seconds", type=at_least(10), default=30, help="from the announcement to the deadline")


def run(options: Mapping[str, Any], say: Say) -> int:
    seed = options["seed"] if options["seed"] is not None else secrets.randbelow(10**6)
    plan = Plan(options["players"], options["seconds"])
    numbers = range(options["first"], options["first"] + options["runs"])
    say(f"seed {seed}: {len(numbers)} runs of {plan.players} players and {plan.seconds:.0f} s")
    outcomes = [_season(f"{seed}/{number}", number, plan, say) for number in numbers]
    say("")
    for line in recovery.table(outcome.costs for outcome in outcomes):
        say(line)
    failed = [outcome.number for outcome in outcomes if outcome.wrong]
    if failed:
        say(f"\n{len(failed)} of {len(outcomes)} runs went wrong: {', '.join(map(str, failed))} (seed {seed})")
        return 1
    say(f"\nall {len(outcomes)} runs ended right (seed {seed})")
    return 0


def _season(seed: str, number: int, plan: Plan, say: Say) -> Outcome:
    folder = Path(tempfile.mkdtemp(prefix="soak-", dir=environment.LOCAL))
    said: list[str] = []
    keep = False
    try:
        with systems.throw_away(said.append, SHAPE) as system:
            outcome = _play(system, seed, number, plan, folder)
            keep = bool(outcome.wrong)
            if keep:
                shutil.copytree(system.supervisor.logs, folder / "logs")
                (folder / "supervisor.txt").write_text("\n".join(said))
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    for line in _lines(outcome, folder):
        say(line)
    return outcome


def _play(system: Stack, seed: str, number: int, plan: Plan, folder: Path) -> Outcome:
    """One season; in the meantime this process brings about what was planned for it."""
    path, wrong = folder / "log.jsonl", []
    log, plan = Log(path), replace(plan, seed=number)
    with (
        (folder / "demo.txt").open("wb") as said,
        systems.playing(
            plan, system.base_url, system.environment, "--log", str(path), stdout=said, stderr=subprocess.STDOUT
        ) as playing,
    ):
        struck, missed = _sabotage(system, seed, log, playing, plan.seconds + PATIENCE_S)
        if playing.poll() is None:
            wrong.append("it never ended")
    if playing.returncode:
        wrong.append(f"the demo's exit code is {playing.returncode}")
    wrong += [f"could not bring about: {faults.TITLES[planned.kind]} ({planned.how})" for planned in missed]
    entries = log.read()
    if len(entries) < 2:
        return Outcome(number, [*wrong, "it left no figures"], [Cost(item) for item in struck])
    return Outcome(number, [*wrong, *_faults(entries[-1])], _costs(struck, entries[-1]))


def _sabotage(
    system: Stack, seed: str, log: Log, playing: subprocess.Popen[bytes], patience_s: float
) -> tuple[list[Struck], list[Planned]]:
    """Until the players are done. What struck, and what found nothing to strike."""
    saboteur, season, ends = Saboteur(system), None, time.monotonic() + patience_s
    waiting: list[Planned] = []
    struck: list[Struck] = []
    while playing.poll() is None and time.monotonic() < ends:
        if season is None and (entries := log.read()):
            season = Season(**entries[0])
            waiting = faults.plan(seed, season)
        now = time.monotonic()
        progress = saboteur.progress(season.campaign) if season and now > season.closes else 0.0
        for planned in [planned for planned in waiting if planned.is_due(now, progress)]:
            # Whatever is just being started again is struck once it runs.
            at = time.monotonic()
            if saboteur.strike(planned):
                struck.append(Struck(planned, at))
                waiting.remove(planned)
        time.sleep(LOOK_EVERY_S)
    return struck, waiting


def _faults(entry: dict[str, Any]) -> list[str]:
    return [f"{title}: {fault}" for title, found in entry["checks"] for fault in found]


def _costs(struck: list[Struck], entry: dict[str, Any]) -> list[Cost]:
    done, lost, doubled = ([Done(**item) for item in entry[name]] for name in ("done", "lost", "doubled"))
    return recovery.costs(struck, done, lost, doubled, [Outage(**item) for item in entry["outages"]])


def _lines(outcome: Outcome, folder: Path) -> Iterator[str]:
    operations = sum(cost.operations for cost in outcome.costs)
    verdict = "WRONG" if outcome.wrong else "right"
    yield f"\nrun {outcome.number}: {verdict}, {operations:,} operations acknowledged after the first accident"
    began = outcome.costs[0].struck.at if outcome.costs else 0.0
    for cost in outcome.costs:
        planned = cost.struck.planned
        where = f", in {planned.state} at {planned.share:.0%}" if planned.state else ""
        by_what = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in sorted(cost.by_what.items()))
        yield (
            f"  {cost.struck.at - began:+7.2f} s  {faults.TITLES[planned.kind]} ({planned.how}{where}): "
            f"{cost.operations:,} operations, {cost.lost} lost, {cost.doubled} doubled; "
            f"recovered after {cost.recovery_s:.1f} s{f' ({by_what})' if by_what else ''}"
        )
    yield from (f"  FAULT  {fault}" for fault in outcome.wrong[:FAULTS_SHOWN])
    if outcome.wrong:
        yield f"  its logs are in {folder.relative_to(environment.ROOT)}"
