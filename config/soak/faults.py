"""Accidents of a demo: which, and when, from a seed; and how to bring them about."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psycopg
import redis

from config.demo.staging import CHUNKS
from config.local import processes
from config.local.stack import Stack

# The states of a settlement in their order, and the column of its chunks that tells how far it is within one.
STATES = ("freeze", "count", "weigh", "allot", "post", "seal", "credit", "done")
CHUNKS_DONE = {"count": "winners", "post": "posted_at", "credit": "credited_at"}
KILLABLE = ("freeze", "count", "post", "seal", "credit")

WEB, WORKER, VOTE, POSTGRES, FLUSH, VALKEY = "web", "worker", "vote", "postgres", "flush", "valkey"
# So long after the end of a vote it is counted, and what it changed is worked off.
AFTERMATH_S = 2.5
PROCESSES = ("its first process", "its second process")
VICTIMS = ("all of it", *PROCESSES)
WAYS_TO_RESTART = {
    "restarted": signal.SIGINT,
    "restarted at once, without a checkpoint": signal.SIGQUIT,
    "killed (-9)": signal.SIGKILL,
}
TITLES = {
    WEB: "web process killed (-9)",
    WORKER: "worker killed (-9) during settlement",
    VOTE: "worker killed (-9) while a vote is closed",
    POSTGRES: "PostgreSQL restarted",
    FLUSH: "FLUSHALL of Valkey",
    VALKEY: "Valkey killed (-9)",
}


@dataclass(frozen=True, slots=True)
class Season:
    """When the phases of a demo are, by the monotonic clock."""

    campaign: int
    opens: float
    votes: float
    closes: float
    reveals: float


@dataclass(frozen=True, slots=True)
class Planned:
    """An accident to come: from an instant on, once the settlement has come so far (a state, a share of its chunks)."""

    kind: str
    how: str
    at: float = 0.0
    state: str = ""
    share: float = 0.0

    def is_due(self, now: float, progress: float) -> bool:
        return now >= self.at and (not self.state or progress >= STATES.index(self.state) + self.share)


def plan(seed: str, season: Season) -> list[Planned]:
    """One accident of each kind at a random moment of the right phase; Valkey itself is killed in one run of four."""
    dice = random.Random(seed)
    trading, night = (season.opens, season.closes), (season.closes, season.reveals + 1.0)
    phase = trading if dice.random() < 2 / 3 else night
    planned = [
        Planned(WEB, f"web-{dice.choice((1, 2))}", at=dice.uniform(*trading)),
        Planned(POSTGRES, dice.choice(list(WAYS_TO_RESTART)), at=dice.uniform(*phase)),
        Planned(FLUSH, "flushed", at=dice.uniform(season.opens, night[1])),
        _worker(dice, season.closes),
        Planned(VOTE, dice.choice(VICTIMS), at=season.votes + dice.uniform(0, AFTERMATH_S)),
    ]
    if dice.random() < 1 / 4:
        planned.append(Planned(VALKEY, "killed", at=dice.uniform(season.opens, night[1])))
    return planned


def _worker(dice: random.Random, closes: float) -> Planned:
    state, how = dice.choice(KILLABLE), dice.choice(VICTIMS)
    if state == "freeze":
        return Planned(WORKER, how, at=closes + dice.random(), state=state)
    share = dice.random() * 0.9 if state in CHUNKS_DONE else 0.0
    return Planned(WORKER, how, at=closes, state=state, share=share)


class Saboteur:
    """Brings accidents about in a running system."""

    def __init__(self, system: Stack) -> None:
        self._system = system
        self._watch: psycopg.Connection | None = None
        self._progress = 0.0

    def strike(self, planned: Planned) -> bool:
        """Do it; False if there was nothing to strike at this moment."""
        strikes: dict[str, Callable[[str], bool]] = {
            WEB: lambda name: self._system.supervisor.signal(name, signal.SIGKILL),
            WORKER: self._kill_worker,
            VOTE: self._kill_worker,
            POSTGRES: lambda how: self._system.supervisor.signal("postgres", WAYS_TO_RESTART[how]),
            FLUSH: lambda how: self._flush(),
            VALKEY: lambda how: self._system.supervisor.signal("valkey", signal.SIGKILL),
        }
        return strikes[planned.kind](planned.how)

    def progress(self, campaign: int) -> float:
        """How far the campaign's settlement is: the number of its state, and the share of chunks that are done."""
        with suppress(psycopg.Error):
            if self._watch is None or self._watch.closed:
                self._watch = psycopg.connect(self._system.environment["DATABASE_URL"], autocommit=True)
            self._progress = max(self._progress, _progress(self._watch, campaign))
        return self._progress

    def _kill_worker(self, how: str) -> bool:
        pid = self._system.supervisor.pids()["worker"]
        children = [process.pid for process in processes.family(pid) if process.pid != pid]
        if how in PROCESSES and children:
            with suppress(ProcessLookupError):
                os.kill(children[PROCESSES.index(how) % len(children)], signal.SIGKILL)
                return True
        struck = self._system.supervisor.signal("worker", signal.SIGKILL)
        # As when a machine dies: its processes don't live on for a moment without it.
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return struck

    def _flush(self) -> bool:
        with redis.Redis.from_url(self._system.environment["REDIS_URL"], socket_timeout=2) as client:
            try:
                return bool(client.flushall())
            except redis.RedisError:
                return False


def _progress(watch: psycopg.Connection, campaign: int) -> float:
    row = watch.execute(
        """
        SELECT s.state, count(c.number), count(c.winners), count(c.posted_at), count(c.credited_at)
          FROM redpackets_settlement s JOIN redpackets_pool p ON p.id = s.pool_id
          LEFT JOIN redpackets_settlementchunk c ON c.settlement_id = s.id
         WHERE p.campaign_id = %s GROUP BY s.id
        """,
        [campaign],
    ).fetchone()
    if row is None:
        return 0.0
    state, chunks, *done = row
    # While they are counted they are also found, so that their number is known only by the order of it.
    of = CHUNKS if state == "count" else max(chunks, 1)
    share = dict(zip(CHUNKS_DONE, done, strict=True)).get(state, 0) / of
    return STATES.index(state) + min(float(share), 0.999)
