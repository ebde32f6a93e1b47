"""Everything that is checked without a database: `./dev lint [--fix] [name ...]`."""

from __future__ import annotations

import subprocess
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

TOOLS = Path(sys.executable).parent
MANAGE = (sys.executable, "manage.py")
# The cheap ones first. The types need this command's environment: their plugin loads the settings.
CHECKS: dict[str, tuple[str, ...]] = {
    "ruff": (f"{TOOLS}/ruff", "check", "--quiet"),
    "format": (f"{TOOLS}/ruff", "format", "--check", "--quiet"),
    "imports": (f"{TOOLS}/lint-imports", "--no-cache"),
    "migrations": (*MANAGE, "makemigrations", "--check", "--dry-run"),
    "documents": (*MANAGE, "write_docs", "--check"),
    "translations": (*MANAGE, "translations", "--check"),
    "types": (f"{TOOLS}/mypy", "--no-error-summary", "."),
}
FIXES: dict[str, tuple[str, ...]] = {
    "ruff": (f"{TOOLS}/ruff", "check", "--quiet", "--fix"),
    "format": (f"{TOOLS}/ruff", "format", "--quiet"),
    "documents": (*MANAGE, "write_docs"),
    "translations": (*MANAGE, "translations"),
}


class Command(BaseCommand):
    help = "Style, layers, types, missing migrations, and documents and translations that are out of date."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="name", help=f"only these of: {', '.join(CHECKS)}")
        parser.add_argument("--fix", action="store_true", help="mend what can be mended without thinking")

    def handle(self, *args: Any, **options: Any) -> None:
        if unknown := set(options["names"]) - set(CHECKS):
            raise CommandError(f"unknown: {', '.join(sorted(unknown))}")
        chosen = options["names"] or list(CHECKS)
        commands = CHECKS | FIXES if options["fix"] else CHECKS
        if failed := [name for name in chosen if not self._passes(name, commands[name])]:
            raise CommandError(f"not in order: {', '.join(failed)}")

    def _passes(self, name: str, command: tuple[str, ...]) -> bool:
        """What a check says is shown only if it fails."""
        started = time.monotonic()
        done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
        verdict = "ok" if done.returncode == 0 else "FAILED"
        self.stdout.write(f"{name:12} {verdict:6} {time.monotonic() - started:5.1f} s")
        if done.returncode:
            self.stdout.write(f"{done.stdout}{done.stderr}")
        self.stdout.flush()
        return done.returncode == 0
