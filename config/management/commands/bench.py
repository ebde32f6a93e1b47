"""What measures speed, on servers of its own: `./dev bench NAME`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

import bench
from config.local.errors import LocalError
from config.local.interrupts import Stop, raising_stop

INTERRUPTED = 130


class Command(BaseCommand):
    help = "Measures throughput and latency beside a no-op of the same servers. Exits with 1 if anything went wrong."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        named = parser.add_subparsers(dest="run", metavar="NAME", required=True)
        for name, run in bench.runs().items():
            own = named.add_parser(name, help=run.HELP, description=run.HELP)
            own.add_argument("--json", type=Path, metavar="FILE", help="write the figures into this file, too")
            run.arguments(own)

    def handle(self, *args: Any, run: str, **options: Any) -> None:
        try:
            with raising_stop():
                report = bench.runs()[run].run(options, self._say)
        except Stop:
            self._say("stopped")
            sys.exit(INTERRUPTED)
        except LocalError as error:
            raise CommandError(str(error)) from error
        for line in report.lines():
            self._say(line)
        if options["json"]:
            options["json"].write_text(report.as_json())
        if not report.is_right:
            sys.exit(1)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
