"""Where things are in a checkout, and the environment that `./dev` gives to manage.py. Standard library only."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.local import processes, secrets

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
SECRETS = LOCAL / "secrets.json"
PASSWORDS = LOCAL / "passwords.json"
STATE = LOCAL / "run" / "up.json"

# The developer's own servers. `./dev` keeps their addresses here, because for the application DATABASE_URL is the
# database that it uses as its own, lesser role.
OWN_DATABASE, OWN_REDIS = "FORTUNES_OWN_DATABASE_URL", "FORTUNES_OWN_REDIS_URL"
# Whose servers run, "wheel" or "debian"; unless it is set, the first that are there.
SERVERS = "FORTUNES_SERVERS"
# The settings can't be loaded without addresses; nothing listens at these.
NOWHERE = {"DATABASE_URL": "postgres://fortunes_app@127.0.0.1:1/fortunes", "REDIS_URL": "redis://127.0.0.1:1/0"}


def lock_file(directory: Path) -> Path:
    return directory / "run" / "lock"


def running() -> dict[str, Any] | None:
    """What `./dev up` wrote about itself, if it's ready: base_url, environment, database and pids."""
    if not processes.is_locked(lock_file(LOCAL)):
        return None
    try:
        state: dict[str, Any] = json.loads(STATE.read_text())
    except FileNotFoundError:
        return None
    return state


def for_manage(given: Mapping[str, str]) -> dict[str, str]:
    """For `manage.py`: the services of a running `./dev up`, and debugging on unless it was turned off."""
    environment = {"DJANGO_DEBUG": "1"} | dict(given)
    environment.setdefault("FORTUNES_SECRETS", str(secrets.ensure(SECRETS)))
    for name, kept in (("DATABASE_URL", OWN_DATABASE), ("REDIS_URL", OWN_REDIS)):
        if name in given:
            environment[kept] = given[name]
    state = running()
    return environment | (state["environment"] if state else NOWHERE)


def write_state(state: Mapping[str, Any]) -> None:
    """Whole or not at all, and for this user only: the addresses hold passwords."""
    draft = STATE.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(state, file, indent=2)
    draft.replace(STATE)
