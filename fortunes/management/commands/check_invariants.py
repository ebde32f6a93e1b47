"""`manage.py check_invariants`: every invariant of every app, each a query that must return no row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from fortunes import heads, invariants


class Command(BaseCommand):
    help = "Run every invariant, live or quiet. Exits with 1 if one is broken or could not be checked."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", help="only these, as app/name")

        parser.add_argument("--heads", default="", help="published heads of the audit; default: AUDIT_HEADS_FILE")

    def handle(self, *args: Any, names: list[str], **options: Any) -> None:
        given = options["heads"]
        chosen = [known for known in invariants.every() if not names or known.name in names]
        if unknown := set(names) - {known.name for known in chosen}:
            raise CommandError(f"unknown: {', '.join(sorted(unknown))}")
        broken = 0
        for known in chosen:
            rows = invariants.violations(known)
            broken += bool(rows)
            self.stdout.write(f"{'BROKEN' if rows else 'ok':6} {known.name}")
            for row in rows:
                self.stdout.write(f"       {row}")
        checked = len(chosen)
        if file := given or (settings.AUDIT_HEADS_FILE if not names else ""):
            broken += self._compare(Path(file))
            checked += 1
        if broken:
            raise CommandError(f"{broken} of {checked} invariants are broken")
        self.stdout.write(f"{checked} invariants hold")

    def _compare(self, file: Path) -> bool:
        """The audit's chain with the heads that were published; False if all of them are in it."""
        try:
            published = list(heads.read(file))
        except (OSError, ValueError) as error:
            raise CommandError(f"the published heads can't be read: {error}") from error
        faults = heads.faults(published)
        self.stdout.write(f"{'BROKEN' if faults else 'ok':6} {len(published)} published heads of the audit")
        for fault in faults:
            self.stdout.write(f"       {fault}")
        return bool(faults)
