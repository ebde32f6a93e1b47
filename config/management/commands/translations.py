"""Collect what is to be translated, and compile what has been: `./dev translations`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import messages


class Command(BaseCommand):
    help = "Bring the Chinese catalog up to date and compile it. With --check, change nothing and say what is amiss."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        template = messages.wanted()
        text, binary = messages.FOLDER / "django.po", messages.FOLDER / "django.mo"
        if not options["check"]:
            catalog = messages.merged(messages.read(text), template)
            text.write_bytes(messages.text_form(catalog))
            binary.write_bytes(messages.binary_form(catalog))
        catalog = messages.read(text)
        faults = messages.faults(catalog, template)
        if binary.read_bytes() != messages.binary_form(catalog):
            faults.append("not compiled: run ./dev translations")
        if faults:
            raise CommandError("\n".join(faults))
