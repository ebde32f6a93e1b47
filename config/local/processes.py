"""Small questions about processes, ports and locks of this machine."""

import contextlib
import errno
import fcntl
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import IO, NamedTuple

PORTS_TO_TRY = 50
PORT_IS_TAKEN = (errno.EADDRINUSE, errno.EACCES)


class Running(NamedTuple):
    """A process: its number, its parent's, and its resident memory in bytes."""

    pid: int
    parent: int
    resident: int


class Locked(Exception):
    """Another process holds the lock."""


def lock(path: Path) -> IO[str]:
    """Hold an exclusive lock until the file is closed; the kernel drops it when this process dies, however it dies."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise Locked(str(path)) from error
    return file


def is_locked(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        lock(path).close()
    except Locked:
        return True
    return False


def command_line(pid: int) -> str:
    """The command line of a living process, or an empty string."""
    proc = Path(f"/proc/{pid}/cmdline")
    try:
        if Path("/proc/self").exists():
            return proc.read_bytes().rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    shown = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def family(pid: int) -> list[Running]:
    """A process and its children, as far as they live."""
    running = _of_proc() if Path("/proc/self").exists() else _of_ps()
    return [process for process in running if pid in (process.pid, process.parent)]


def _of_proc() -> list[Running]:
    """From Linux itself: a small installation has no `ps`."""
    page, found = os.sysconf("SC_PAGE_SIZE"), []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # The name is in parentheses and may have some itself; what follows is counted from the last one.
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            found.append(Running(int(folder.name), int(fields[1]), int(fields[21]) * page))
    return found


def _of_ps() -> list[Running]:
    shown = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=False)
    rows = (map(int, line.split()) for line in shown.stdout.splitlines())
    return [Running(pid, parent, kib * 1024) for pid, parent, kib in rows]


def end(pid: int, *, first: signal.Signals, grace: float) -> None:
    """End a process that isn't our child: ask, wait, then kill."""
    before = command_line(pid)
    deadline = time.monotonic() + grace
    _send(pid, first)
    # The command line is compared because the number may belong to somebody else by now.
    while before and command_line(pid) == before:
        if time.monotonic() > deadline:
            _send(pid, signal.SIGKILL)
            deadline += grace
        time.sleep(0.05)


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def remembered_port(file: Path) -> int:
    """The port of last time if it's still free, so that addresses stay the same from start to start."""
    try:
        port = int(file.read_text())
        if port_is_free(port):
            return port
    except (FileNotFoundError, ValueError):
        pass
    port = free_port()
    file.write_text(str(port))
    return port


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on this port, or on the next one that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, port + PORTS_TO_TRY):
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it. uvicorn takes a descriptor for a UNIX socket and doesn't set it, and then the second
        # half of an answer waits for the client's delayed acknowledgement: 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(1024)
        except OSError as error:
            listener.close()
            # Only a taken or reserved port is a reason to try the next; a wrong address stays wrong.
            if candidate + 1 == port + PORTS_TO_TRY or error.errno not in PORT_IS_TAKEN:
                raise
        else:
            return listener
    raise AssertionError("the loop either returns or raises")
