"""What the runs with thousands of sockets have in common: one web process, and the process that holds the clients."""

from __future__ import annotations

import json
import subprocess
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bench import Say, servers
from config.local.errors import LocalError
from config.soak import at_least

# The first ones pay for what all of them share.
FIRST = 50


class Crowd:
    """Clients of one server, told what to do by words."""

    def __init__(self, system: servers.Servers, process: subprocess.Popen[str], campaign: str) -> None:
        self.system = system
        self.campaign = campaign
        self._process = process

    def do(self, word: str, about: Any = None) -> Any:
        if self._process.stdin and self._process.stdout:
            self._process.stdin.write(json.dumps([word, about]) + "\n")
            self._process.stdin.flush()
            if answer := self._process.stdout.readline():
                return json.loads(answer)
        raise LocalError("the load generator has ended")


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sockets", type=at_least(2 * FIRST), default=5_000, help="of as many players (default 5,000)")


@contextmanager
def gathered(options: Mapping[str, Any], say: Say) -> Iterator[Crowd]:
    """A server and as many players; none of them is connected yet."""
    with servers.running(say, web=("web-a",)) as system:
        say(f"{options['sockets']:,} players")
        stage = system.inside("crowd", str(options["sockets"]))
        with system.loading("crowd", stage) as process:
            yield Crowd(system, process, stage["campaign"])
