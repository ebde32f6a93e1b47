"""Tells Django where this test process's own database and Redis are. Loaded before the settings."""

import os
from urllib.parse import urlsplit, urlunsplit

from config.local import services

# Valkey has 16 databases unless told otherwise.
REDIS_DATABASES = 16


def _point_settings_at_own_services() -> None:
    """Processes share the servers and nothing in them: a database each, and in Redis a prefix and a number each."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    number = (int(worker.removeprefix("gw")) + 1 if worker.startswith("gw") else 0) % REDIS_DATABASES
    running = services.described(os.environ["FORTUNES_TEST_SERVICES"])
    name = f"{os.environ['FORTUNES_TEST_DATABASE']}_{worker}"
    environment = running.environment(name, prefix=f"{name.replace('_', '-')}")
    environment["REDIS_URL"] = urlunsplit(urlsplit(running.redis_url)._replace(path=f"/{number}"))
    os.environ.update(environment)


_point_settings_at_own_services()
