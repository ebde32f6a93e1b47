"""Databases besides the test's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

from cards import admin, catalogue
from config.local import roles, services, template
from config.local.services import Services
from fortunes import rulebooks
from redpackets.actions import watching


@contextmanager
def another(suffix: str, blocker: Any) -> Iterator[tuple[Services, str]]:
    """A fresh database in place of the test's own until the block ends: the servers, and its name."""
    running = services.described(os.environ["FORTUNES_TEST_SERVICES"])
    settings = connections["default"].settings_dict
    own, name = settings["NAME"], f"{settings['NAME']}_{suffix}"
    template.clone(running, name)
    with blocker.unblock():
        _change(name)
        try:
            yield running, name
        finally:
            _change(own)
            roles.drop_database(running.owner_url(), name)


def _change(name: str) -> None:
    """Campaigns have the same numbers there: what this process remembers of them is of the other database."""
    connections["default"].close()
    connections["default"].settings_dict["NAME"] = name
    for campaign_id in list(rulebooks._believed):
        rulebooks.forget(campaign_id)
    for remembered in (catalogue.of, rulebooks.version, admin.kinds, admin.sources, watching._names):
        remembered.cache_clear()
