"""Write the documents that are made from the code."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config import documents


class Command(BaseCommand):
    help = "Write the documents in docs/ that are made from the code."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only say which are out of date; exit with 1")

    def handle(self, *args: Any, **options: Any) -> None:
        stale = []
        for name, make in documents.DOCUMENTS.items():
            path, text = settings.BASE_DIR / name, make()
            if path.exists() and path.read_text(encoding="utf-8") == text:
                continue
            stale.append(name)
            if not options["check"]:
                path.write_text(text, encoding="utf-8")
        if options["check"] and stale:
            raise CommandError(f"out of date: {', '.join(stale)}; run ./dev manage write_docs")
        self.stdout.write(f"{'written' if stale else 'up to date'}: {', '.join(stale or documents.DOCUMENTS)}")
