"""`manage.py ensure_reference_rows`: rows that every installation has. Migrations create none."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand
from django.db import transaction

OPS = "ops"
OUR_APPS = ("fortunes", "accounts", "cards", "redpackets")


class Command(BaseCommand):
    help = "Make the group of the operations staff. Repeating it adds what is missing and takes nothing away."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic(durable=True):
            group, _ = Group.objects.get_or_create(name=OPS)
            # Whatever else a model's admin would let them do is granted by a superuser, person by person.
            group.permissions.add(
                *Permission.objects.filter(content_type__app_label__in=OUR_APPS, codename__startswith="view_")
            )
