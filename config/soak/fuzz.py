"""`./dev soak fuzz`: hostile frames by the ten thousand over many sockets, and a player who notices nothing of it."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from config.client.line import Line
from config.client.sockets import Lost, Refused
from config.demo import systems
from config.local.stack import Stack, manage
from config.soak import Say, at_least, memory
from config.soak.attacks import Attack, Tally
from config.soak.hostile import Words

HELP = "hostile frames of every sort over many sockets: the server stays healthy, and others don't notice"

# So many players attack, each over as many sockets as one may have; two more are friends who play on meanwhile.
ATTACKERS = 24
SOCKETS_AT_ONCE = 48
MAY_GROW_MIB = 24.0
SETTLE_S, PATIENCE_S = 3.0, 60.0
SHOWN = 5
TROUBLE = re.compile(r"^\d\d:\d\d:\d\d\.\d+ (?:ERROR|CRITICAL) .*|^Traceback .*", re.MULTILINE)
SHAPE = replace(systems.SHAPE, web_processes=1, worker_processes=1)


@dataclass(frozen=True, slots=True)
class Scene:
    """A season with people in it: tokens by public id, the friends last."""

    campaign: str
    kind: str
    specials: list[str]
    tokens: dict[str, str]

    @property
    def attackers(self) -> dict[str, str]:
        return dict(list(self.tokens.items())[:-2])

    @property
    def friends(self) -> list[tuple[str, str]]:
        return list(self.tokens.items())[-2:]


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--frames", type=at_least(1000), default=100_000)
    parser.add_argument("--seed", type=at_least(0), help="that a table has printed, to have the same frames again")
    # What this command runs inside the servers that it started.
    parser.add_argument("--prepare", type=int, help=SUPPRESS)


def run(options: Mapping[str, Any], say: Say) -> int:
    if options["prepare"]:
        from config.soak import scene

        say(json.dumps(scene.prepare(options["prepare"])))
        return 0
    seed = options["seed"] if options["seed"] is not None else secrets.randbelow(10**6)
    say(f"seed {seed}: {options['frames']:,} frames")
    with systems.throw_away(say, SHAPE) as system:
        people = Scene(**json.loads(manage(system.environment, "soak", "fuzz", "--prepare", str(ATTACKERS))))
        tally = Tally(options["frames"])
        wrong = asyncio.run(_attack(system, people, tally, seed))
        manage(system.environment, "check_invariants")
        wrong += _trouble(system.supervisor.logs)
    for line in tally.table():
        say(line)
    for fault in wrong:
        say(f"FAULT  {fault}")
    say(f"\n{len(wrong)} faults (seed {seed})" if wrong else "\nthe server is well, and nobody else noticed anything")
    return 1 if wrong else 0


async def _attack(system: Stack, scene: Scene, tally: Tally, seed: int) -> list[str]:
    """All attacks, with a look at the memory before and after. What is wrong, in words."""
    from config.sockets import asyncapi

    pid = system.supervisor.pids()["web-1"]
    words = Words(
        json.loads(asyncapi.document()),
        players=list(scene.tokens), kinds=[scene.kind, *scene.specials],
    )  # fmt: skip
    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        friendly = tasks.create_task(_play_on(system.base_url, scene, tally))
        attacks = [
            tasks.create_task(
                Attack(system.base_url, scene.campaign, scene.attackers, words, tally, f"{seed}/{number}").go_on()
            )
            for number in range(SOCKETS_AT_ONCE)
        ]
        await tally.warm.wait()
        tally.before_mib = _resident(pid)
        await asyncio.wait(attacks)
        tally.seconds = time.monotonic() - began
    wrong = friendly.result()
    await asyncio.sleep(SETTLE_S)
    tally.after_mib = _resident(pid)
    if tally.after_mib - tally.before_mib > MAY_GROW_MIB:
        wrong.append(f"the web process grew from {tally.before_mib:.0f} to {tally.after_mib:.0f} MiB")
    if system.supervisor.pids()["web-1"] != pid:
        wrong.append("the web process died and was started again")
    wrong += await _health(system.base_url)
    wrong += [f"{count} answers with {code}" for code, count in tally.undocumented().items()]
    return wrong


async def _play_on(base_url: str, scene: Scene, tally: Tally) -> list[str]:
    """Two friends send a card to and fro until the attack is over: each gift must arrive."""
    wrong: list[str] = []
    (one, token), (other, others_token) = scene.friends
    lines = [_line(base_url, scene.campaign, given) for given in (token, others_token)]
    heard: list[asyncio.Queue[str]] = [asyncio.Queue(), asyncio.Queue()]
    ears = [asyncio.create_task(_hear(line, into)) for line, into in zip(lines, heard, strict=True)]
    gifts = 0
    while not tally.is_done or gifts < 4:
        here, there = gifts % 2, 1 - gifts % 2
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_S):
                receipt = await lines[here].gift((other, one)[here], [scene.kind])
                while await heard[there].get() != receipt.trade.id:
                    pass
        except (TimeoutError, Refused, Lost) as error:
            wrong.append(f"gift {gifts + 1} of a player who does nothing wrong: {error!r}")
            break
        tally.gifts_s.append(time.monotonic() - began)
        gifts += 1
    for line in lines:
        wrong += [f"a well-behaved socket was lost {line.reconnects} times"] if line.reconnects else []
        await line.hang_up()
    await asyncio.wait(ears)
    return wrong


def _line(base_url: str, campaign: str, token: str) -> Line:
    async def give(refused: str = "") -> str:
        return token

    return Line(base_url, give, campaign, None)


async def _hear(line: Line, into: asyncio.Queue[str]) -> None:
    async for push in line.pushes():
        into.put_nowait(push.data.get("trade", ""))


async def _health(base_url: str) -> list[str]:
    async with httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=PATIENCE_S) as http:
        answers = {path: (await http.get(path)).status_code for path in ("/livez", "/readyz")}
    return [f"{path} says {status}" for path, status in answers.items() if status != httpx.codes.OK]


def _resident(pid: int) -> float:
    return memory.resident(pid)[pid]


def _trouble(logs: Path) -> list[str]:
    """Lines of the servers' logs that nothing a client sends should bring about."""
    texts = [file.read_text(errors="replace") for file in sorted(logs.glob("web-*.log"))]
    return [line for text in texts for line in TROUBLE.findall(text)[:SHOWN]]
