"""Databases besides the test's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

from config.local import roles, services, template
from config.local.services import Services


@contextmanager
def another(suffix: str, blocker: Any) -> Iterator[tuple[Services, str]]:
    """A fresh database in place of the test's own until the block ends: the servers, and its name."""
    running = services.described(os.environ["FORTUNES_TEST_SERVICES"])
    settings = connections["default"].settings_dict
    own, name = settings["NAME"], f"{settings['NAME']}_{suffix}"
    template.clone(running, name)
    with blocker.unblock():
        connections["default"].close()
        settings["NAME"] = name
        try:
            yield running, name
        finally:
            connections["default"].close()
            settings["NAME"] = own
            roles.drop_database(running.owner_url(), name)
