"""A system of one's own for a while: services, two web processes, worker and beat, in a folder that is removed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from config.local import environment, processes, roles
from config.local.services import services
from config.local.stack import Shape, Stack, stack

PREFIX = "demo-"
# Not where `up` listens, so that one can be started while a demo runs.
PORT = 8400


@contextmanager
def throw_away(say: Callable[[str], None]) -> Iterator[Stack]:
    """A running system. Nothing is left of it afterwards, nor of earlier ones that were killed."""
    _remove_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=environment.LOCAL))
    # As root, PostgreSQL may have to run as a user who must get in (config/local/privileges.py).
    folder.chmod(0o711)
    database = folder.name.replace("-", "_")
    try:
        with services(folder, say=say) as running:
            try:
                with stack(running, folder, Shape(port=PORT), database=database, say=say) as system:
                    yield system
            finally:
                if environment.OWN_DATABASE in os.environ and running.supervisor:
                    # The developer's own server would keep it. First those who use it are ended.
                    running.supervisor.stop()
                    roles.drop_database(running.owner_url(), database)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_leftovers() -> None:
    for lock in environment.LOCAL.glob(f"{PREFIX}*/run/lock"):
        if not processes.is_locked(lock):
            shutil.rmtree(lock.parent.parent, ignore_errors=True)
