"""`manage.py rekey_phones`: the second half of a rotation of the keys of phones (docs/sign-in.md)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from accounts.actions import housekeeping


class Command(BaseCommand):
    help = "Store all phone numbers under the current keys, so that the old ones can be taken out."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{housekeeping.rekey_phones()} numbers are under the current keys now")
