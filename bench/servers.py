"""The servers of a run: two web processes, each at an address of its own, PostgreSQL and Valkey; and what they use.

They are set up as in production (no DEBUG). Worker and beat are left out: nothing that is measured here waits for them.
"""

from __future__ import annotations

import json
import resource
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from bench import Say
from config.demo import systems
from config.local import environment, processes, stack
from config.local.errors import LocalError
from config.local.stack import Shape, Stack

WEB = ("web-a", "web-b")
APPLICATION = "bench.asgi:application"
FILES = 16_384
PATIENCE_S = 60.0
# As in production, without a line in the log for each request.
SETTINGS = {"DJANGO_DEBUG": "0", "LOG_REQUESTS": "0", "DEMO_SIGN_IN": "0"}


@dataclass(frozen=True)
class Servers:
    """A running system; `ports` are those of its web processes."""

    system: Stack
    ports: tuple[int, ...]

    def inside(self, *words: str) -> Any:
        """What `bench/inside.py WORDS` printed last, beside these servers, as JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "bench.inside", *words],
            cwd=environment.ROOT,
            env=dict(self.system.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LocalError(f"bench.inside {' '.join(words)} failed:\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])

    def load(self, name: str, task: Mapping[str, Any]) -> Any:
        """What the load generator `bench.load.NAME` has measured, in a process of its own."""
        with tempfile.NamedTemporaryFile("r") as file:
            with self.loading(name, {**task, "result": file.name}) as process:
                code = process.wait()
            if code:
                raise LocalError(f"the load generator {name} ended with {code}")
            return json.load(file)

    @contextmanager
    def loading(self, name: str, task: Mapping[str, Any]) -> Iterator[subprocess.Popen[str]]:
        """The load generator while it runs."""
        words = json.dumps({**task, "ports": self.ports, "pids": self.system.supervisor.pids()})
        command = [sys.executable, "-m", f"bench.load.{name}"]
        with subprocess.Popen(
            command, cwd=environment.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                if process.stdin:
                    process.stdin.write(f"{words}\n")
                    process.stdin.flush()
                yield process
            finally:
                if process.poll() is None:
                    process.kill()

    def resident(self, name: str) -> int:
        """Bytes of memory of a server's process."""
        pid = self.system.supervisor.pids()[name]
        return next(process.resident for process in processes.family(pid) if process.pid == pid)


@contextmanager
def running(say: Say, *, web: tuple[str, ...] = WEB) -> Iterator[Servers]:
    """Throw-away servers until the block ends."""
    _allow_files()
    shape = Shape(web_processes=0, worker_processes=0, beats=0, settings=SETTINGS)
    with ExitStack() as exits:
        system = exits.enter_context(systems.throw_away(say, shape))
        ports = []
        for name in web:
            listener = exits.enter_context(processes.listen("127.0.0.1", 8500))
            ports.append(_start(system, name, listener))
        yield Servers(system, tuple(ports))


def _start(system: Stack, name: str, listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    system.supervisor.start(stack.web(name, system.environment, listener, APPLICATION))
    system.supervisor.wait_ready(name, lambda: stack.answers(f"http://127.0.0.1:{port}/livez"), seconds=PATIENCE_S)
    return port


def _allow_files() -> None:
    """For this process and those that it starts: each socket is a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
