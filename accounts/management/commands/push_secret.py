"""`manage.py push_secret wallet`: what a host app needs to know whether news of its users are ours (docs/push.md)."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import federation, webhooks


class Command(BaseCommand):
    help = "Print the keys, in hex by their ids, with which pushes to a host app are signed; the first signs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("app", help="the slug of the host app")

    def handle(self, *args: Any, app: str, **options: Any) -> None:
        if app not in federation.push_urls():
            raise CommandError(f"{app} has no push_url in FEDERATION_FILE")
        if not (keys := webhooks.keys_of(app)):
            raise CommandError("the secrets file has no push_keys: this needs the workers' file")
        self.stdout.write(json.dumps({key_id: key.hex() for key_id, key in keys}, indent=2))
