"""`manage.py ensure_reference_rows`: rows that every installation has. Migrations create none."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Q

from config.groups import GROUPS, VIEW_ALL


class Command(BaseCommand):
    help = "Make the groups of the staff. Repeating it adds what is missing and takes nothing away."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic(durable=True):
            for name, apps in GROUPS.items():
                permissions = [found for app, wanted in apps.items() for found in _permissions(app, wanted)]
                group, _ = Group.objects.get_or_create(name=name)
                group.permissions.add(*permissions)
                self.stdout.write(f"group {name}: {len(permissions)} permissions")


def _permissions(app: str, wanted: tuple[str, ...]) -> list[Permission]:
    named = {codename for codename in wanted if codename != VIEW_ALL}
    either = Q(codename__in=named)
    if VIEW_ALL in wanted:
        either |= Q(codename__startswith="view_")
    found = list(Permission.objects.filter(either, content_type__app_label=app))
    if missing := named - {permission.codename for permission in found}:
        raise CommandError(f"unknown permissions of {app} (is the database migrated?): {sorted(missing)}")
    return found
