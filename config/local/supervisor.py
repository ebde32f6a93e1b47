"""Starts programs, restarts what dies, and ends all of them in the reverse order."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config.local import processes
from config.local.errors import LocalError
from config.local.privileges import Account, leashed

POLL_SECONDS = 0.1
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
# A program that lived this long gets the short pause again.
LIVED_LONG = 10.0
DEATHS_BEFORE_READY = 3
LOG_LIMIT_BYTES = 10_000_000


class DiedEarly(LocalError):
    """A program ended before it was ready."""


@dataclass(frozen=True)
class Program:
    """What to run and how to end it; `grace` is in seconds, `before` runs ahead of each start."""

    name: str
    argv: list[str]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    account: Account = Account()
    pass_fds: tuple[int, ...] = ()
    before: Callable[[], None] = lambda: None


@dataclass
class Child:
    program: Program
    process: subprocess.Popen[bytes]
    started: float
    log_start: int
    pause: float = FIRST_PAUSE
    due: float | None = None
    restarts: int = field(default=0)


class Supervisor:
    """One per lock file. The watching thread restarts programs until `stop`.

    Children die with the thread that started them (see leash.py), so that even `kill -9` of this process leaves none.
    """

    def __init__(self, directory: Path, say: Callable[[str], None] = print) -> None:
        self.logs = directory / "logs"
        self.run = directory / "run"
        self._say = say
        self._children: list[Child] = []
        self._guard = threading.RLock()
        self._stopping = threading.Event()
        self._finished = threading.Event()
        for folder in (self.logs, self.run):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._watcher.start()

    def start(self, program: Program) -> None:
        self._end_orphan(program)
        self._shorten_log(program)
        with self._guard:
            child = Child(program, *self._spawn(program))
            self._children.append(child)

    def pids(self) -> dict[str, int]:
        with self._guard:
            return {child.program.name: child.process.pid for child in self._children}

    def signal(self, name: str, number: int) -> bool:
        """Send a signal to a program, if it runs just now; what dies of it is started again."""
        with self._guard:
            for child in self._children:
                if child.program.name == name and child.process.poll() is None:
                    child.process.send_signal(number)
                    return True
        return False

    def wait_ready(self, name: str, ready: Callable[[], bool], *, seconds: float = 30.0) -> None:
        """Poll until `ready`; a program that keeps dying meanwhile won't get better."""
        deadline = time.monotonic() + seconds
        while not ready():
            child = next(child for child in self._children if child.program.name == name)
            hopeless = child.due is not None and child.restarts + 1 >= DEATHS_BEFORE_READY
            if hopeless or time.monotonic() > deadline:
                raise DiedEarly(f"{name} didn't start; see {self._log(name)}{self._last_words(child, lines=12)}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End all programs, the last started first."""
        self._stopping.set()
        with self._guard:
            children, self._children = list(reversed(self._children)), []
        for child in children:
            self._end(child)
        # Only now: the thread's end would take the programs that it restarted with it.
        self._finished.set()
        self._watcher.join()

    def _spawn(self, program: Program) -> tuple[subprocess.Popen[bytes], float, int]:
        program.before()
        with self._log(program.name).open("ab") as log:
            log_start = log.tell()
            process = subprocess.Popen(
                leashed(program.argv, account=program.account, signal_number=program.stop_signal),
                env=program.env,
                cwd=program.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=program.pass_fds,
                # Ctrl-C in the terminal is for the supervisor, which ends its programs in order.
                start_new_session=True,
            )
        self._pid_file(program).write_text(str(process.pid))
        return process, time.monotonic(), log_start

    def _watch(self) -> None:
        while not self._finished.wait(POLL_SECONDS):
            with self._guard:
                for child in self._children:
                    if not self._stopping.is_set():
                        self._look_after(child)

    def _look_after(self, child: Child) -> None:
        code = child.process.poll()
        if code is None:
            return
        now = time.monotonic()
        if child.due is None:
            self._kill_group(child)
            child.pause = FIRST_PAUSE if now - child.started > LIVED_LONG else min(child.pause * 2, LONGEST_PAUSE)
            child.due = now + child.pause
            how = f"{child.program.name} ended ({_how(code)}); starting it again in {child.pause:.1f} s"
            self._say(how + self._last_words(child))
        elif now >= child.due:
            child.process, child.started, child.log_start = self._spawn(child.program)
            child.due = None
            child.restarts += 1

    def _end(self, child: Child) -> None:
        deadline = time.monotonic() + child.program.grace
        if child.process.poll() is None:
            child.process.send_signal(child.program.stop_signal)
        while child.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        self._kill_group(child)
        child.process.wait()
        self._pid_file(child.program).unlink(missing_ok=True)

    def _kill_group(self, child: Child) -> None:
        """Whatever the program left behind in its process group, such as a worker's pool, goes with it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, signal.SIGKILL)

    def _end_orphan(self, program: Program) -> None:
        """What a supervisor killed with -9 left behind, on systems where the leash can't work or hasn't yet."""
        try:
            pid = int(self._pid_file(program).read_text())
        except (FileNotFoundError, ValueError):
            return
        if processes.command_line(pid) == " ".join(program.argv):
            processes.end(pid, first=program.stop_signal, grace=program.grace)

    def _shorten_log(self, program: Program) -> None:
        log = self._log(program.name)
        if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".log.1"))

    def _last_words(self, child: Child, lines: int = 2) -> str:
        """The last lines that this run of the program wrote."""
        with self._log(child.program.name).open("rb") as log:
            log.seek(child.log_start)
            said = [line for line in log.read().decode(errors="replace").split("\n") if line.strip()]
        return "".join(f"\n  {child.program.name} | {line}" for line in said[-lines:])

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _pid_file(self, program: Program) -> Path:
        return self.run / f"{program.name}.pid"


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
