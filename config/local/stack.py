"""The whole system on one machine: services, database, web, worker and beat. For `up` and `demo`."""

import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config.local import processes, template
from config.local.environment import ROOT
from config.local.errors import LocalError
from config.local.services import Services
from config.local.supervisor import Program, Supervisor

DATABASE = "fortunes"
DEFAULT_PORT = 8000
APPLICATION = "config.asgi:application"


@dataclass(frozen=True)
class Shape:
    """How many processes, and where the web listens; a taken port means the next free one.

    `settings` are variables of the environment that differ from a checkout's.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    web_processes: int = 2
    worker_processes: int = 2
    beats: int = 1
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stack:
    """A running system. `environment` is for further processes that use the same database and Redis."""

    base_url: str
    environment: Mapping[str, str]
    supervisor: Supervisor
    database_was: str


@contextmanager
def stack(
    services: Services, directory: Path, shape: Shape, *, database: str = DATABASE, say: Callable[[str], None] = print
) -> Iterator[Stack]:
    """Bring the database up to date, start the processes and wait until the web answers.

    They end with `services`, whose supervisor runs them.
    """
    supervisor = services.supervisor
    if supervisor is None:
        raise ValueError("these services belong to another process, so nothing can be started beside them")
    database_was = template.ensure_current(services, database)
    say(f"database {database}: {_done(database_was)}")
    environment = services.environment(database, prefix=database) | dict(shape.settings)
    manage(environment, "ensure_reference_rows")
    with processes.listen(shape.host, shape.port) as listener:
        base_url = _base_url(shape.host, listener)
        for program in _programs(environment, directory, shape, listener):
            supervisor.start(program)
        if shape.web_processes:
            supervisor.wait_ready("web-1", lambda: answers(f"{base_url}/livez"), seconds=60)
        yield Stack(base_url, environment, supervisor, database_was)


def manage(environment: Mapping[str, str], *arguments: str) -> str:
    """Run a management command and return what it printed."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalError(f"manage.py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _programs(
    environment: Mapping[str, str], directory: Path, shape: Shape, listener: socket.socket
) -> Iterator[Program]:
    """In the order of starting; the end goes the other way round."""
    for number in range(1, shape.web_processes + 1):
        yield web(f"web-{number}", environment, listener)
    if shape.worker_processes:
        yield _worker(environment, shape)
    for number in range(1, shape.beats + 1):
        name = "beat" if number == 1 else f"beat-{number}"
        yield _python(name, environment, _beat(directory / "run" / f"{name}-schedule"), grace=3)


def web(name: str, environment: Mapping[str, str], listener: socket.socket, application: str = APPLICATION) -> Program:
    """A web process that listens there."""
    command = _uvicorn(listener.fileno(), application)
    return _python(name, environment, command, pass_fds=(listener.fileno(),), grace=8)


def _worker(environment: Mapping[str, str], shape: Shape) -> Program:
    worker = ["celery", "-A", "config.celery", "worker", "--pool", "prefork", "--loglevel", "warning"]
    worker += ["--concurrency", str(shape.worker_processes), "--without-gossip", "--without-mingle"]
    return _python("worker", environment, worker, grace=10)


def _python(
    name: str, environment: Mapping[str, str], module: list[str], *, grace: float, pass_fds: tuple[int, ...] = ()
) -> Program:
    return Program(
        name=name,
        argv=[sys.executable, "-m", *module],
        # A log that shows what happened up to a crash, and not up to the last full buffer.
        env={**environment, "PYTHONUNBUFFERED": "1"},
        cwd=ROOT,
        stop_signal=signal.SIGTERM,
        grace=grace,
        pass_fds=pass_fds,
    )


def _beat(schedule: Path) -> list[str]:
    options = ["--schedule", str(schedule), "--pidfile=", "--loglevel", "warning"]
    return ["celery", "-A", "config.celery", "beat", *options]


def _uvicorn(descriptor: int, application: str = APPLICATION) -> list[str]:
    """Processes share one listening socket, which the supervisor holds: while one restarts, the queue waits.

    Frames are small, so that deflate would cost more than it saves.
    """
    options = ["--ws", "websockets-sansio", "--ws-max-size", "65536", "--ws-per-message-deflate", "false"]
    # Without a limit uvicorn waits for open sockets for ever.
    options += ["--timeout-graceful-shutdown", "5", "--no-access-log", "--no-server-header", "--log-level", "warning"]
    return ["uvicorn", application, "--fd", str(descriptor), *options]


def _base_url(host: str, listener: socket.socket) -> str:
    # One can't connect to "all addresses".
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{listener.getsockname()[1]}"


def answers(url: str) -> bool:
    """Whether somebody is there."""
    # No proxy: it's our own machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _done(what: str) -> str:
    return {"cloned": "new", "migrated": "migrated", "nothing": "up to date"}[what]
