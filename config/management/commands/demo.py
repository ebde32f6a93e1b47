"""Play a season of a minute with simulated players and check every sum: `./dev demo`."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from config.client.sockets import Lost, Refused
from config.demo import checks, facts, play, systems, table
from config.demo.journal import Journal
from config.demo.log import Log
from config.demo.progress import Progress
from config.demo.staging import Plan, Stage
from config.local import environment
from config.local.errors import LocalError
from config.local.interrupts import SIGNALS, Stop, raising_stop

INTERRUPTED = 130
# What one meets when servers go away.
AWAY = (httpx.HTTPError, Refused, Lost, OSError, OperationalError)


class Command(BaseCommand):
    help = (
        "Play a short season as real clients against the servers of ./dev up or, if it isn't running, against servers "
        "that are started for it. Exits with 1 if anything is off."
    )
    requires_system_checks: list[str] = []
    _log: Log | None = None

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--players", type=_at_least(20), default=300)
        parser.add_argument("--seconds", type=_at_least(10), default=45, help="from the announcement to the deadline")
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--apart", action="store_true", help="start servers for this even if ./dev up is running")
        where.add_argument("--base-url", help="play against this server, whose database is that of DATABASE_URL")
        parser.add_argument("--seed", type=int, help="for the players' dice; what servers make of it is another matter")
        parser.add_argument("--log", type=Path, help="also write instants and figures here, as lines of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        plan = Plan(options["players"], options["seconds"], options["seed"])
        self._log = Log(options["log"]) if options["log"] else None
        code = self._play(options["base_url"], plan) if options["base_url"] else self._find_servers(plan, **options)
        if code:
            sys.exit(code)

    def _find_servers(self, plan: Plan, *, apart: bool, **options: Any) -> int:
        state = None if apart else environment.running()
        try:
            with raising_stop():
                if state:
                    return self._hand_over(plan, state["base_url"], os.environ | state["environment"])
                return self._start_servers(plan)
        except Stop:
            self._say("stopped")
            return INTERRUPTED
        except LocalError as error:
            raise CommandError(str(error)) from error

    def _start_servers(self, plan: Plan) -> int:
        started = time.monotonic()
        self._say("starting PostgreSQL, Valkey, web, worker and beat for this season …")
        with systems.throw_away(self._say) as system:
            self._say(f"ready after {time.monotonic() - started:.1f} s")
            return self._hand_over(plan, system.base_url, system.environment)

    def _hand_over(self, plan: Plan, base_url: str, env: Mapping[str, str]) -> int:
        """The settings of this process may name another database, so the play itself is a process of its own."""
        self._say(f"{plan.players} players, {plan.seconds:.0f} s, against {base_url}")
        words = ["--log", str(self._log.path.absolute())] if self._log else []
        with systems.playing(plan, base_url, env, *words) as process:
            return process.wait()

    def _play(self, base_url: str, plan: Plan) -> int:
        progress = Progress(sys.stderr)
        try:
            staged = self._log.staged if self._log else lambda stage: None
            journal, stage = asyncio.run(_stoppable(base_url, plan, progress, staged))
            return self._report(journal, stage, progress)
        except (asyncio.CancelledError, KeyboardInterrupt):
            progress.close()
            return INTERRUPTED
        except (ExceptionGroup, *AWAY) as failed:
            progress.close()
            raise _explained(failed) from failed

    def _report(self, journal: Journal, stage: Stage, progress: Progress) -> int:
        progress.phase("checking")
        found = facts.read(stage.campaign_id, [diary.player for diary in journal.diaries])
        verdicts = [*checks.every(journal, found), _invariants()]
        progress.done(f"{len(verdicts)} checks")
        self._say("")
        for line in table.lines(journal, found, verdicts):
            self._say(line)
        if self._log:
            self._log.outcome(journal, stage, found, verdicts)
        faults = sum(not check.ok for check in verdicts)
        self._say(f"\n{faults} of {len(verdicts)} checks failed" if faults else "\neverything is right")
        return 1 if faults else 0

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


async def _stoppable(
    base_url: str, plan: Plan, progress: Progress, staged: Callable[[Stage], None]
) -> tuple[Journal, Stage]:
    """Any signal cancels the play, which then closes its sockets."""
    playing = asyncio.current_task()
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, playing.cancel if playing else sys.exit)
    return await play.play(base_url, plan, progress, staged)


def _explained(failed: Exception) -> Exception:
    """What goes wrong on the way to the servers, in a line; a mistake of our own with its traceback."""
    cause = failed
    while isinstance(cause, ExceptionGroup):
        cause = cause.exceptions[0]
    return CommandError(f"the season broke off: {cause!r}") if isinstance(cause, AWAY) else failed


def _invariants() -> checks.Check:
    """Of the whole database, whoever else plays in it."""
    said = StringIO()
    try:
        call_command("check_invariants", stdout=said, stderr=said)
    except CommandError as error:
        broken = [line.strip() for line in said.getvalue().splitlines() if not line.startswith("ok ")]
        return checks.Check("check_invariants", [str(error), *broken])
    return checks.Check(f"check_invariants: {said.getvalue().splitlines()[-1]}", [])


def _at_least(least: int) -> Any:
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise ArgumentTypeError(f"a number, at least {least}")
        return int(text)

    return number
