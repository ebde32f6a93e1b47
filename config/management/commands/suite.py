"""Run the tests: `./dev test [--quick] [--coverage] [--servers wheel|debian] [anything pytest takes]`."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

from django.core.management.base import BaseCommand

from config import covered
from config.local import environment, template
from config.local.errors import LocalError
from config.local.interrupts import Stop, raising_stop
from config.local.privileges import Account, leashed
from config.local.services import Services, described, first_free

TESTS = environment.LOCAL / "test"
TIMES = TESTS / "seconds.json"
# Two cores have something to do while one of three waits: for a lock, a socket, a process to end.
PROCESSES = "3"
SERVERS = ("wheel", "debian")
COVERAGE, COVERED = "--coverage", TESTS / "covered"


class Command(BaseCommand):
    help = (
        "Run the tests with services of their own. --quick leaves the slow ones out, --coverage fails where too little "
        "was exercised, --servers debian takes PostgreSQL and Redis from Debian's packages; the rest goes to pytest."
    )
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        """Not through Django's parser, which would take pytest's options for its own."""
        words = _choose_servers(argv[2:])
        try:
            with raising_stop():
                code = self._run(words)
        except Stop:
            code = 130
        except LocalError as error:
            self.stderr.write(str(error))
            code = 1
        sys.exit(code)

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(self._run(list(args)))

    def _run(self, words: list[str]) -> int:
        started = time.monotonic()
        self._say(_expectation(words))
        with self._services() as (slot, services):
            template.ensure_template(services)
            self._say(f"services: ready after {time.monotonic() - started:.1f} s")
            name = "fortunes_test" if slot == "1" else f"fortunes_test{slot}"
            extra = {
                "FORTUNES_TEST_SERVICES": services.describe(),
                "FORTUNES_TEST_DATABASE": name,
                # In the environment, because xdist's processes load plugins of the command line only after Django.
                "PYTEST_PLUGINS": "tests.plugins.services",
            }
            code = self._tests(words, services.environment(name) | extra)
        if code == 0:
            _remember(words, time.monotonic() - started)
        return code

    def _tests(self, words: list[str], env: dict[str, str]) -> int:
        if COVERAGE not in words:
            return _pytest(pytest_words(words), env)
        shutil.rmtree(COVERED, ignore_errors=True)
        seen, report = COVERED / "sql", COVERED / "coverage.json"
        env |= {
            "PYTEST_PLUGINS": f"{env['PYTEST_PLUGINS']},tests.plugins.seen",
            "FORTUNES_SEEN": str(seen),
            "COVERAGE_FILE": str(COVERED / "data"),
        }
        measured = ["--cov", "--cov-report=", f"--cov-report=json:{report}"]
        code = _pytest([*pytest_words([word for word in words if word != COVERAGE]), *measured], env)
        for line in covered.figures(environment.ROOT, report) if report.exists() else ():
            self._say(line)
        if code:
            return code
        faults = list(covered.faults(environment.ROOT, report, seen))
        for fault in faults:
            self._say(f"not exercised: {fault}")
        return 1 if faults else 0

    def _services(self) -> AbstractContextManager[tuple[str, Services]]:
        """Our own, unless whoever called us has some already."""
        given = os.environ.get("FORTUNES_TEST_SERVICES")
        # Another version of PostgreSQL can't read what one has written.
        folder = TESTS / os.environ.get(environment.SERVERS, "")
        return nullcontext(("1", described(given))) if given else first_free(folder, say=self._say)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _pytest(words: list[str], env: Mapping[str, str]) -> int:
    command = leashed([sys.executable, "-m", "pytest", *words], account=Account(), signal_number=signal.SIGINT)
    with subprocess.Popen(command, cwd=environment.ROOT, env=env) as process:
        try:
            return process.wait()
        except Stop:
            # Ctrl-C reached pytest too, and its summary is worth a moment; any other signal reached only us.
            for number in (signal.SIGINT, signal.SIGKILL):
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=5)
                process.send_signal(number)
            raise


def pytest_words(words: list[str]) -> list[str]:
    """Three processes unless the developer said otherwise or wants to talk to the debugger.

    What follows each other stays in one process, which makes a module's large database once, until another has nothing
    left to do.
    """
    chosen = any(word.startswith(("-n", "--numprocesses", "-p", "--pdb", "--trace")) for word in words)
    quick = ["-m", "not slow"] if "--quick" in words else []
    return [
        *([] if chosen else ["-n", PROCESSES, "--dist", "worksteal"]),
        *quick,
        *(word for word in words if word != "--quick"),
    ]


def _choose_servers(words: list[str]) -> list[str]:
    """Take `--servers NAME` out of the words and put it where config/local looks."""
    if "--servers" not in words:
        return words
    place = words.index("--servers")
    name = "".join(words[place + 1 : place + 2])
    if name not in SERVERS:
        sys.exit(f"--servers takes one of: {', '.join(SERVERS)}")
    os.environ[environment.SERVERS] = name
    return [*words[:place], *words[place + 2 :]]


def _expectation(words: list[str]) -> str:
    seconds = _times().get(" ".join(words))
    return f"expected: about {seconds:.0f} s, as last time" if seconds else "expected: first run of these here"


def _remember(words: list[str], seconds: float) -> None:
    TIMES.write_text(json.dumps(_times() | {" ".join(words): round(seconds, 1)}, indent=2))


def _times() -> dict[str, float]:
    try:
        stored: dict[str, float] = json.loads(TIMES.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return stored
