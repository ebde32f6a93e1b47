"""`manage.py ensure_reference_rows`: rows that every installation has. Migrations create none."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Q

OPS = "ops"
OUR_APPS = ("fortunes", "accounts", "cards", "redpackets")
# Besides looking: make a season, prepare and open it, and hold or resume its settlement. Who may do what to people is
# for a superuser to say.
MAY_DO = (
    ("fortunes", "add_campaign"),
    ("fortunes", "change_campaign"),
    ("cards", "change_cardkind"),
    ("redpackets", "change_settlement"),
)


class Command(BaseCommand):
    help = "Make the group of the operations staff. Repeating it adds what is missing and takes nothing away."

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = Q(content_type__app_label__in=OUR_APPS, codename__startswith="view_")
        for app, codename in MAY_DO:
            wanted |= Q(content_type__app_label=app, codename=codename)
        with transaction.atomic(durable=True):
            permissions = list(Permission.objects.filter(wanted).select_related("content_type"))
            found = {(permission.content_type.app_label, permission.codename) for permission in permissions}
            if missing := set(MAY_DO) - found:
                raise CommandError(f"unknown permissions (is the database migrated?): {sorted(missing)}")
            group, _ = Group.objects.get_or_create(name=OPS)
            group.permissions.add(*permissions)
        self.stdout.write(f"group {OPS}: {len(permissions)} permissions")
