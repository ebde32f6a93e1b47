"""`manage.py check_invariants`: every invariant of every app, each a query that must return no row."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from fortunes import invariants


class Command(BaseCommand):
    help = "Run every invariant, live or quiet. Exits with 1 if one is broken or could not be checked."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", help="only these, as app/name")

    def handle(self, *args: Any, names: list[str], **options: Any) -> None:
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
        if broken:
            raise CommandError(f"{broken} of {len(chosen)} invariants are broken")
        self.stdout.write(f"{len(chosen)} invariants hold")
