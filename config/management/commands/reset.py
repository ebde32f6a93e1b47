"""Forget everything that `./dev` has stored: `./dev reset`."""

import os
import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.local import environment, processes


class Command(BaseCommand):
    help = "Delete .local/: databases, secrets and logs of this checkout. Asks first."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--yes", action="store_true", help="don't ask")

    def handle(self, *args: Any, **options: Any) -> None:
        if used := [folder for folder in _claimed_folders() if processes.is_locked(environment.lock_file(folder))]:
            names = ", ".join(os.path.relpath(folder, environment.ROOT) for folder in used)
            raise CommandError(f"Still running in {names}. Stop it first (Ctrl-C where it was started).")
        if environment.OWN_DATABASE in os.environ:
            self.stdout.write("The databases on the server of DATABASE_URL stay; drop them there if you like.")
        if not options["yes"] and not _agreed():
            raise CommandError("Nothing was deleted.")
        shutil.rmtree(environment.LOCAL, ignore_errors=False)
        self.stdout.write("Deleted. ./dev up starts afresh.")


def _claimed_folders() -> list[Path]:
    """Every folder below .local/ in which services have run."""
    locks = environment.LOCAL.rglob("run/lock")
    return [lock.parent.parent for lock in locks]


def _agreed() -> bool:
    try:
        return input("Delete all local databases, secrets and logs (.local/)? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
