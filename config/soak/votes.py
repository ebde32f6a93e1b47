"""`./dev soak votes`: the worker closes a vote with very many ballots; the published script counts it again."""

from __future__ import annotations

import json
import time
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import sql

from config.demo import systems
from config.local.errors import LocalError
from config.local.stack import Shape, Stack, manage
from config.soak import Say, at_least, memory
from config.soak.settlement import CLOCK, LOOK_EVERY_S, MAY_GROW_MIB, PATIENCE_S, WARM_UP_S

HELP = (
    "a vote with very many ballots, counted, hashed and decided by a real worker, and once more by the published script"
)


@dataclass(slots=True)
class Close:
    """What was measured of one close. Seconds are from the instant at which the vote was to close."""

    ballots: int
    entered: dict[str, float] = field(default_factory=dict)
    before_mib: float = 0.0
    most_mib: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def counted_s(self) -> float:
        """From the step after which no ballot was taken to the result."""
        return self.entered["closed"] - self.entered["counting"]


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--ballots", type=at_least(10), nargs="+", default=[1_000_000], help="of one vote after the other"
    )
    # What this command runs inside the servers that it started.
    parser.add_argument("--gather", type=int, help=SUPPRESS)
    parser.add_argument("--verify", type=int, help=SUPPRESS)


def run(options: Mapping[str, Any], say: Say) -> int:
    from config.soak import electorate

    if options["gather"]:
        say(json.dumps(asdict(electorate.gather(options["gather"]))))
        return 0
    if options["verify"]:
        say(json.dumps(electorate.faults(options["verify"])))
        return 0
    with systems.throw_away(say, Shape(port=systems.SHAPE.port, web_processes=0)) as system:
        time.sleep(WARM_UP_S)
        closes = [_close(system, count, say) for count in options["ballots"]]
    for line in _table(closes):
        say(line)
    wrong = [fault for close in closes for fault in close.wrong]
    for fault in wrong:
        say(f"FAULT  {fault}")
    if not wrong:
        say("\neverything is right: the result by the published script, the invariants, the worker's memory")
    return 1 if wrong else 0


def _close(system: Stack, count: int, say: Say) -> Close:
    say(f"{count:,} ballots: making them …")
    made = json.loads(manage(system.environment, "soak", "votes", "--gather", str(count)))
    close = Close(made["ballots"])
    if close.ballots != count:
        close.wrong.append(f"{close.ballots:,} ballots were made of {count:,}")
    with psycopg.connect(system.environment["DATABASE_OWNER_URL"], autocommit=True) as owner:
        for table in ("accounts_player", "fortunes_membership", "fortunes_ballot", "fortunes_ballotcount"):
            owner.execute(f"VACUUM ANALYZE {table}")
        with memory.watched(lambda: system.supervisor.pids()["worker"]) as grown:
            _pass_close(owner, made["proposal"])
            say(f"{count:,} ballots: closing …")
            _follow(owner, made["proposal"], close)
        close.before_mib, close.most_mib = grown.before_mib, grown.most_mib
    if close.most_mib - close.before_mib > MAY_GROW_MIB:
        close.wrong.append(f"{count:,} ballots: a worker grew from {close.before_mib:.0f} to {close.most_mib:.0f} MiB")
    say(f"{count:,} ballots: counting them again …")
    close.wrong += json.loads(manage(system.environment, "soak", "votes", "--verify", str(made["proposal"])))
    return close


def _pass_close(owner: psycopg.Connection, proposal: int) -> None:
    """Turn the database's clock on to just after the close, for everybody at once."""
    ahead = owner.execute("SELECT closes_at - fortunes_clock() FROM fortunes_proposal WHERE id = %s", [proposal])
    (wait,) = ahead.fetchone() or (timedelta(),)
    already = owner.execute("SELECT fortunes_clock() - clock_timestamp()").fetchone() or (timedelta(),)
    owner.execute(sql.SQL(CLOCK).format(sql.Literal(f"{(wait + already[0]).total_seconds():.6f} s")))


def _follow(owner: psycopg.Connection, proposal: int, close: Close) -> None:
    """Note when each state is entered, until there is a result."""
    began = time.monotonic()
    while "closed" not in close.entered:
        row = owner.execute("SELECT state, last_error FROM fortunes_proposal WHERE id = %s", [proposal]).fetchone()
        state, error = row or ("", "")
        close.entered.setdefault(state, time.monotonic() - began)
        if error or time.monotonic() - began > PATIENCE_S:
            raise LocalError(f"the vote stays {state}: {error or 'no worker takes it further'}")
        time.sleep(LOOK_EVERY_S)
    # A state that was over between two looks was left as soon as the next one that was seen.
    close.entered.setdefault("counting", close.entered["closed"])


def _table(closes: list[Close]) -> Iterator[str]:
    heads = (("ballots", 12), ("stopped after", 16), ("count to result", 17), ("ballots/s", 12), ("memory before", 15))
    yield "\n" + "".join(f"{head:>{width}}" for head, width in heads) + f"{'at most':>9}"
    for close in closes:
        seconds = max(close.counted_s, LOOK_EVERY_S)
        yield (
            f"{close.ballots:>12,}{close.entered['counting']:>14.2f} s{seconds:>15.2f} s"
            f"{close.ballots / seconds:>12,.0f}{close.before_mib:>11.0f} MiB{close.most_mib:>5.0f} MiB"
        )
