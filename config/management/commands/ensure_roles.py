"""Make the two database roles and the database of an installation; see docs/operations.md."""

import os
from argparse import ArgumentParser
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.management.base import BaseCommand, CommandError

from config.local import roles


class Command(BaseCommand):
    help = (
        "Create or correct fortunes_owner and fortunes_app with the passwords of DATABASE_OWNER_URL and DATABASE_URL, "
        "and the database they name. DATABASE_ADMIN_URL is a role that may create roles. Repeating it changes nothing."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--admin-url", default=os.environ.get("DATABASE_ADMIN_URL"))

    def handle(self, *args: Any, **options: Any) -> None:
        admin_url, owner_url = options["admin_url"], os.environ.get("DATABASE_OWNER_URL")
        if not admin_url or not owner_url:
            raise CommandError("DATABASE_ADMIN_URL and DATABASE_OWNER_URL must be set.")
        passwords = {
            "owner": _password(owner_url, roles.OWNER),
            "app": _password(os.environ["DATABASE_URL"], roles.APP),
        }
        try:
            roles.ensure_roles(admin_url, passwords)
        except roles.MayNot as error:
            raise CommandError(str(error)) from error
        name = urlsplit(owner_url).path.removeprefix("/")
        # The owner makes it, from the administrator's database, so that it's the owner's.
        from_admin = urlsplit(owner_url)._replace(path=urlsplit(admin_url).path).geturl()
        if not roles.database_exists(from_admin, name):
            roles.create_database(from_admin, name)
        roles.ensure_grants(owner_url)
        self.stdout.write(f"roles and database {name}: ready")


def _password(url: str, role: str) -> str:
    parts = urlsplit(url)
    if parts.username != role or not parts.password:
        raise CommandError(f"The address of {role} must hold that name and a password.")
    return unquote(parts.password)
