"""Processes as in production, each with a log of its own that the test reads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from config.local import environment, processes, stack

PATIENCE_S = 60.0


@contextmanager
def web(log: Path, **given: str) -> Iterator[str]:
    """The address of a web process. Unlike `servers.running` it may log tracebacks."""
    with processes.listen("127.0.0.1", 0) as listener:
        command = [sys.executable, "-m", *stack._uvicorn(listener.fileno())]
        with _running(command, log, given, listener.fileno()):
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            eventually(lambda: stack.answers(f"{url}/livez"))
            yield url


@contextmanager
def worker(log: Path, **given: str) -> Iterator[subprocess.Popen[bytes]]:
    words = ["worker", "--concurrency=1", "--without-gossip", "--without-mingle"]
    with _running([sys.executable, "-m", "celery", "-A", "config.celery", *words], log, given) as process:
        yield process


@contextmanager
def beat(log: Path, **given: str) -> Iterator[subprocess.Popen[bytes]]:
    words = ["beat", f"--schedule={log.with_suffix('.schedule')}", "--pidfile="]
    with _running([sys.executable, "-m", "celery", "-A", "config.celery", *words], log, given) as process:
        yield process


def eventually(holds: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.1)


@contextmanager
def _running(command: list[str], log: Path, given: dict[str, str], *pass_fds: int) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as file:
        process = subprocess.Popen(
            command,
            cwd=environment.ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **given},
            stdout=file,
            stderr=file,
            pass_fds=pass_fds,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
