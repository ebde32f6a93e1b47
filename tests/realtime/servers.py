"""Real uvicorn processes, as `./dev up` starts them, on the database of this test process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from accounts import tokens
from config.local import environment, processes, stack
from tests.factories.accounts import PlayerFactory

# For a slow machine, too.
PATIENCE_S = 90.0


@dataclass(frozen=True)
class Server:
    """A running web process."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)


@contextmanager
def running(log: Path, **given: str) -> Iterator[Server]:
    """A web process until the block ends; `given` goes into its environment. It must not have logged a traceback."""
    with processes.listen("127.0.0.1", 0) as listener, listening(listener, log, **given) as server:
        yield server


@contextmanager
def listening(listener: socket.socket, log: Path, **given: str) -> Iterator[Server]:
    """As `running`, on a socket that outlives the process, as that of a supervisor does."""
    command = [sys.executable, "-m", *stack._uvicorn(listener.fileno())]
    process = subprocess.Popen(
        command,
        cwd=environment.ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **given},
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
        pass_fds=(listener.fileno(),),
    )
    server = Server(f"http://127.0.0.1:{listener.getsockname()[1]}", process, log)
    try:
        _wait_until_ready(server)
        yield server
    finally:
        _end(process)
    assert "Traceback" not in log.read_text(), log.read_text()


def up_to_date(server: Server) -> Server:
    """The same, once it goes by the database's clock as it is now.

    For ten seconds after a test has moved that, a process may go by what it was, and take new tokens for expired.
    """
    headers = {"Authorization": f"Bearer {tokens.issue(PlayerFactory.create()).token}"}
    deadline = time.monotonic() + PATIENCE_S
    while not httpx.get(f"{server.url}/api/v1/me", headers=headers, trust_env=False, timeout=PATIENCE_S).is_success:
        assert time.monotonic() < deadline, f"{server.url} doesn't hear the time"
        time.sleep(0.2)
    return server


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            if httpx.get(f"{server.url}/livez", trust_env=False, timeout=2).is_success:
                return
        except httpx.TransportError:
            pass
        if server.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server didn't start:\n{server.log.read_text()}")
        time.sleep(0.05)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
