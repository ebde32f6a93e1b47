"""`manage.py audit_head`: the head of the audit's chain, to be kept outside the database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from fortunes import audit


class Command(BaseCommand):
    help = "Print the number and the hash of the newest audit entry."

    def handle(self, *args: Any, **options: Any) -> None:
        seq, head = audit.head()
        self.stdout.write(f"{seq} {head.hex()}")
