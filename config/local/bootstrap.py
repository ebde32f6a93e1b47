"""Makes .venv if it's missing or out of date, and hands over to manage.py. `./dev` runs it with any Python >= 3.11."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK_FILE = ROOT / "requirements-dev.lock"
STAMP = VENV / "installed"

HELP = """\
Five Fortunes

  ./dev up           everything on this machine, with a demo season; Ctrl-C stops it
  ./dev demo         a short season played by simulated players
  ./dev test         the tests; --quick leaves the slow ones out, further words go to pytest
  ./dev soak NAME    a run that takes long: faults, load, hostile input; ./dev soak --help lists them
  ./dev bench NAME   what measures speed, beside a no-op; ./dev bench --help lists the runs
  ./dev lint         style, layers, types, documents; --fix mends what it can
  ./dev reset        forget all local data
  ./dev manage ...   Django's manage.py, with the running system's addresses
  ./dev check        Django's system check

The first start installs the requirements into .venv. All data are in .local.
DATABASE_URL and REDIS_URL, if set, name servers of your own instead of the embedded ones."""


def main(words: list[str]) -> None:
    if not words or words[0] in ("help", "-h", "--help"):
        print(HELP)
        return
    os.chdir(ROOT)
    # Without Django or anything that was installed, so that any Python can do it.
    sys.path.insert(0, str(ROOT))
    from config.local import platforms

    if refused := platforms.refusal(platforms.here(), words[0], os.environ):
        sys.exit(refused)
    _use_own_folder_for_temporary_files()
    ensure_venv()
    from config.local import environment

    if words[0] == "manage" and not environment.running():
        print("./dev up isn't running, so there is no database.", file=sys.stderr, flush=True)
    command = [str(PYTHON), "manage.py", *manage_words(words)]
    os.execve(PYTHON, command, environment.for_manage(os.environ))


def manage_words(words: list[str]) -> list[str]:
    """`./dev manage x` is `./dev x`; `test` has another name in Django, whose own runner it isn't."""
    if words[0] == "manage":
        return words[1:]
    return ["suite" if words[0] == "test" else words[0], *words[1:]]


def ensure_venv() -> None:
    """Install what the lock file says, once. A second `./dev` meanwhile waits for the first."""
    # Not at the top: on Windows there is none, and there we are to say so.
    import fcntl

    wanted = hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()
    if _installed() == wanted:
        return
    local = ROOT / ".local"
    local.mkdir(mode=0o711, exist_ok=True)
    with (local / "install.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _installed() == wanted:
            return
        _make_venv()
        _install()
        STAMP.write_text(wanted)


def _installed() -> str | None:
    try:
        return STAMP.read_text() if PYTHON.exists() else None
    except FileNotFoundError:
        return None


def _make_venv() -> None:
    if (VENV / "bin" / "pip").exists() and PYTHON.exists():
        return
    print(f"Making .venv with Python {sys.version.split()[0]} …", flush=True)
    # What an interrupted start or a Python that's gone left behind.
    shutil.rmtree(VENV, ignore_errors=True)
    # The interpreter that .venv was made with, if it's .venv's own that is running.
    base = getattr(sys, "_base_executable", sys.executable)
    made = subprocess.run([base, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if made.returncode:
        from config.local import platforms

        said = f"{made.stdout}{made.stderr}"
        sys.exit(f"{said}\nPython's venv module doesn't work here.\n{platforms.venv_advice()}")


def _install() -> None:
    """pip keeps its own configuration: mirrors, proxies and certificates work as everywhere else."""
    requirements = _requirements()
    packages = len(re.findall(r"^[\w.-]+==", requirements.read_text(), flags=re.MULTILINE))
    print(f"Installing up to {packages} packages into .venv, once; it takes a minute or two …", flush=True)
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    command += ["--require-hashes", "-r", str(requirements)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = _show_progress(process, packages)
    if process.wait():
        sys.exit("".join(said[-15:]) + "\npip couldn't install the requirements; its last words are above.")


def _requirements() -> Path:
    """The lock file; where there are no ready-made servers a copy without them, for use with servers of one's own."""
    from config.local import platforms

    if platforms.here().fault() is None:
        return LOCK_FILE
    names = "|".join(platforms.PACKAGES)
    # A package's line, and what is indented below it.
    rest = re.sub(rf"^({names})(\[.*?\])?==.*\n(?:[ \t].*\n)*", "", LOCK_FILE.read_text(), flags=re.MULTILINE)
    reduced = ROOT / ".local" / "requirements.lock"
    reduced.write_text(rest)
    return reduced


def _show_progress(process: subprocess.Popen[str], packages: int) -> list[str]:
    """One line that counts on a terminal, every tenth package elsewhere."""
    said: list[str] = []
    collected = 0
    for line in process.stdout or ():
        said.append(line)
        collected += line.startswith(("Collecting", "Requirement already satisfied"))
        if line.startswith("Installing collected"):
            print("\r  unpacking …".ljust(40), flush=True)
        elif line.startswith("Collecting") and sys.stdout.isatty():
            print(f"\r  {collected}/{packages} {line.split()[1]}".ljust(40)[:60], end="", flush=True)
        elif line.startswith("Collecting") and collected % 10 == 0:
            print(f"  {collected}/{packages}", flush=True)
    return said


def _use_own_folder_for_temporary_files() -> None:
    """For machines on which only the home folder may be written."""
    if "TMPDIR" not in os.environ and not os.access("/tmp", os.W_OK):
        folder = ROOT / ".local" / "tmp"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ["TMPDIR"] = str(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
