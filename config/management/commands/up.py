"""Run the whole system on this machine: `./dev up`."""

import os
import signal
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.local import environment
from config.local.errors import LocalError
from config.local.interrupts import Stop, raising_stop
from config.local.services import AlreadyRunning, services
from config.local.stack import DATABASE, DEFAULT_PORT, Shape, Stack, manage, stack


class Command(BaseCommand):
    help = "Start PostgreSQL, Valkey, web, worker and beat, and stop them on Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port; the next free one if it's taken")
        parser.add_argument("--web-processes", type=int, default=2)
        parser.add_argument("--worker-processes", type=int, default=2)

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        shape = Shape(options["host"], options["port"], options["web_processes"], options["worker_processes"])
        try:
            with raising_stop():
                self._run(shape, started)
        except Stop:
            self._say("stopped")
        except AlreadyRunning as error:
            raise CommandError(_already_running()) from error
        except LocalError as error:
            raise CommandError(str(error)) from error

    def _run(self, shape: Shape, started: float) -> None:
        with services(environment.LOCAL, say=self._say) as running:
            self._say(f"services: ready after {time.monotonic() - started:.1f} s")
            with stack(running, environment.LOCAL, shape, say=self._say) as system:
                sign_ins = manage(system.environment, "seed_demo_season", "--base-url", system.base_url)
                environment.write_state(_state(system))
                try:
                    self._greet(system, shape, sign_ins, time.monotonic() - started)
                    while True:
                        signal.pause()
                finally:
                    environment.STATE.unlink(missing_ok=True)
                    self._say("\nstopping …")

    def _greet(self, system: Stack, shape: Shape, sign_ins: str, seconds: float) -> None:
        if not system.base_url.endswith(f":{shape.port}"):
            self._say(f"port {shape.port} is taken, so this runs on the next free one")
        self._say(f"\n{sign_ins.strip()}\n")
        self._say(f"page      {system.base_url}/ for one player, and in a second window for another:")
        self._say(f"          {system.base_url}/?as=bob (each: Play as a guest, Give me a code, Draw)")
        self._say("          to see packets open: ./dev manage seed_demo_season --minutes 3")
        self._say(f"API       {system.base_url}/api/docs/")
        self._say(f"admin     {system.base_url}/admin/")
        self._say(f"logs      {os.path.relpath(environment.LOCAL / 'logs')}/")
        self._say(f"\nready in {seconds:.1f} s; Ctrl-C stops everything")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _state(system: Stack) -> dict[str, Any]:
    """For `./dev demo`, `./dev manage` and `./dev reset`, which look here for a running system."""
    names = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "REDIS_PREFIX", "FORTUNES_SECRETS", "DJANGO_DEBUG")
    return {
        "base_url": system.base_url,
        "database": DATABASE,
        "environment": {name: system.environment[name] for name in names},
        "pids": {"up": os.getpid()} | system.supervisor.pids(),
    }


def _already_running() -> str:
    state = environment.running()
    where = f"at {state['base_url']}" if state else "and still starting"
    return f"./dev up is running already, {where}."
