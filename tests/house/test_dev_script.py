"""`./dev` on machines that aren't like the developer's."""

import hashlib
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config.local import bootstrap
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
        ([], ["-n", "2"]),
        (["tests/cards", "-x"], ["-n", "2", "tests/cards", "-x"]),
        (["--quick"], ["-n", "2", "-m", "not slow"]),
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


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
