"""Long runs against servers of their own: `./dev soak NAME`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import soak
from config.local.errors import LocalError
from config.local.interrupts import Stop, raising_stop

INTERRUPTED = 130


class Command(BaseCommand):
    help = "Long runs, each against servers of its own that are removed afterwards. Exits with 1 if anything is off."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        named = parser.add_subparsers(dest="run", metavar="NAME", required=True)
        for name, run in soak.runs().items():
            run.arguments(named.add_parser(name, help=run.HELP, description=run.HELP))

    def handle(self, *args: Any, run: str, **options: Any) -> None:
        try:
            with raising_stop():
                code = soak.runs()[run].run(options, self._say)
        except Stop:
            self._say("stopped")
            code = INTERRUPTED
        except LocalError as error:
            raise CommandError(str(error)) from error
        if code:
            sys.exit(code)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
