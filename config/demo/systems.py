"""A system of one's own for a while: services, two web processes, worker and beat, in a folder that is removed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from config.demo import hostapp
from config.demo.staging import Plan
from config.local import environment, processes, roles
from config.local.privileges import Account, leashed
from config.local.services import services
from config.local.stack import Shape, Stack, stack

PREFIX = "demo-"
# Not where `up` listens, so that one can be started while a demo runs.
SHAPE = Shape(port=8400)


@contextmanager
def throw_away(say: Callable[[str], None], shape: Shape = SHAPE) -> Iterator[Stack]:
    """A running system. Nothing is left of it afterwards, nor of earlier ones that were killed."""
    _remove_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=environment.LOCAL))
    # As root, PostgreSQL may have to run as a user who must get in (config/local/privileges.py).
    folder.chmod(0o711)
    database = folder.name.replace("-", "_")
    try:
        with services(folder, say=say) as running:
            try:
                known = {"FEDERATION_FILE": str(hostapp.found(folder / "host"))}
                shape = replace(shape, settings={**known, **shape.settings})
                with stack(running, folder, shape, database=database, say=say) as system:
                    yield system
            finally:
                if environment.OWN_DATABASE in os.environ and running.supervisor:
                    # The developer's own server would keep it. First those who use it are ended.
                    running.supervisor.stop()
                    roles.drop_database(running.owner_url(), database)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def playing(
    plan: Plan, base_url: str, env: Mapping[str, str], *words: str, **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """`./dev demo` against these servers, in a process of its own: this one's settings may name another database."""
    about = ["--players", str(plan.players), "--seconds", str(plan.seconds), "--base-url", base_url]
    about += [] if plan.seed is None else ["--seed", str(plan.seed)]
    argv = [sys.executable, "manage.py", "demo", *about, *words]
    command = leashed(argv, account=Account(), signal_number=signal.SIGTERM)
    with subprocess.Popen(command, cwd=environment.ROOT, env=env, **options) as process:
        try:
            yield process
        finally:
            # Ctrl-C reached the player too; any other signal only us.
            for number in (signal.SIGTERM, signal.SIGKILL):
                if process.poll() is None:
                    process.send_signal(number)
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(timeout=5)


def _remove_leftovers() -> None:
    for lock in environment.LOCAL.glob(f"{PREFIX}*/run/lock"):
        if not processes.is_locked(lock):
            shutil.rmtree(lock.parent.parent, ignore_errors=True)
