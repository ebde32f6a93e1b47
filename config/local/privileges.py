"""PostgreSQL refuses to run as root; this finds a way to run it all the same, and changes nothing on the machine."""

import functools
import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from config.local.errors import LocalError

UNSHARE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


class Unreachable(LocalError):
    """The unprivileged user can't enter the folder that it would have to work in."""


@dataclass(frozen=True)
class Account:
    """Who a program runs as: a prefix that opens a user namespace, or a numeric id, or neither."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None

    def prepare(self, folder: Path) -> None:
        """Give the folder to the account, and make sure that it can get there."""
        if self.uid is None:
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.uid, self.uid)
        probe = subprocess.run(["test", "-x", folder], user=self.uid, group=self.uid, extra_groups=[], check=False)
        if probe.returncode:
            raise Unreachable(
                f"PostgreSQL doesn't run as root, and the user with the id {self.uid} can't enter {folder}. "
                "Run ./dev as a normal user, move the checkout to a folder that others may enter, "
                "or set DATABASE_URL to a server of your own."
            )


def leashed(argv: list[str], *, account: Account, signal_number: int) -> list[str]:
    """The command that runs `argv` as the account and ends it when the thread that started it dies."""
    leash = [sys.executable, "-I", "-S", str(Path(__file__).with_name("leash.py"))]
    user = "-" if account.uid is None else str(account.uid)
    return [*account.prefix, *leash, str(os.getpid()), str(signal_number), user, *argv]


@functools.cache
def unprivileged() -> Account:
    """Nothing special for a normal user; for root a user namespace, or another user where those are forbidden."""
    if os.geteuid() != 0:
        return Account()
    return Account(prefix=UNSHARE) if _namespaces_work() else Account(uid=_other_user())


def _namespaces_work() -> bool:
    if not shutil.which(UNSHARE[0]):
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0


def _other_user() -> int:
    try:
        return pwd.getpwnam("postgres").pw_uid
    except KeyError:
        return 1000
