"""`./dev soak settlement`: the worker splits pools among very many; a stranger's script recomputes every fen."""

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
from config.soak.faults import STATES

HELP = (
    "pools split among very many winners by real workers: payouts a second, the workers' memory, every fen recomputed"
)

# A process of the worker may grow by this much during a split: what it keeps must not depend on how many win.
MAY_GROW_MIB = 16.0
MODES = ("even", "random", "tiered")
LOOK_EVERY_S, PATIENCE_S = 0.002, 900.0
# The first tasks import what they need and connect.
WARM_UP_S = 12.0
CLOCK = """
CREATE OR REPLACE FUNCTION fortunes_clock() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE
AS $$ SELECT clock_timestamp() + interval {} $$
"""


@dataclass(slots=True)
class Split:
    """What was measured of one settlement. Seconds are from the deadline."""

    winners: int
    mode: str
    entered: dict[str, float] = field(default_factory=dict)
    plain_s: float = 0.0
    before_mib: float = 0.0
    most_mib: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def seconds(self, first: str, then: str) -> float:
        return self._entered(then) - self._entered(first)

    def _entered(self, state: str) -> float:
        """A state that was over between two looks was left as soon as the next one that was seen."""
        return min(self.entered[later] for later in STATES[STATES.index(state) :] if later in self.entered)


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--winners", type=at_least(10), nargs="+", default=[100_000], help="of one split after the other"
    )
    parser.add_argument("--modes", choices=MODES, nargs="+", default=MODES, help="how the pools are split")
    parser.add_argument("--workers", type=at_least(1), default=2, help="processes of the worker")
    # What this command runs inside the servers that it started.
    parser.add_argument("--gather", type=int, help=SUPPRESS)
    parser.add_argument("--verify", type=int, help=SUPPRESS)


def run(options: Mapping[str, Any], say: Say) -> int:
    from config.soak import crowd, second_opinion

    if options["gather"]:
        say(json.dumps(asdict(crowd.gather(options["gather"], *options["modes"][:1]))))
        return 0
    if options["verify"]:
        say(json.dumps(second_opinion.faults(options["verify"])))
        return 0
    shape = Shape(port=systems.SHAPE.port, web_processes=0, worker_processes=options["workers"])
    with systems.throw_away(say, shape) as system:
        time.sleep(WARM_UP_S)
        splits = [_split(system, winners, mode, say) for winners in options["winners"] for mode in options["modes"]]
    for line in _table(splits, options["workers"]):
        say(line)
    wrong = [fault for split in splits for fault in split.wrong]
    for fault in wrong:
        say(f"FAULT  {fault}")
    if not wrong:
        say("\neverything is right: sums, every payout by the published script, the invariants, the workers' memory")
    return 1 if wrong else 0


def _split(system: Stack, winners: int, mode: str, say: Say) -> Split:
    say(f"{winners:,} winners: making their hands …")
    gather = ("soak", "settlement", "--gather", str(winners), "--modes", mode)
    crowd = json.loads(manage(system.environment, *gather))
    split = Split(winners, mode)
    with psycopg.connect(system.environment["DATABASE_OWNER_URL"], autocommit=True) as owner:
        for table in ("accounts_player", "cards_hand", "cards_draw", "fortunes_membership"):
            owner.execute(f"VACUUM ANALYZE {table}")
        with memory.watched(lambda: system.supervisor.pids()["worker"]) as grown:
            _pass_deadline(owner, crowd["campaign"])
            say(f"{winners:,} winners: splitting, {mode} …")
            _follow(owner, crowd["settlement"], split)
        split.before_mib, split.most_mib = grown.before_mib, grown.most_mib
        split.plain_s = _plain_insert(owner, crowd["pool"])
    if split.most_mib - split.before_mib > MAY_GROW_MIB:
        split.wrong.append(
            f"{winners:,} winners, {mode}: a worker grew from {split.before_mib:.0f} to {split.most_mib:.0f} MiB"
        )
    say(f"{winners:,} winners: recomputing every payout …")
    split.wrong += json.loads(manage(system.environment, "soak", "settlement", "--verify", str(crowd["settlement"])))
    return split


def _pass_deadline(owner: psycopg.Connection, campaign: int) -> None:
    """Turn the database's clock on to just after the deadline, for everybody at once."""
    ahead = owner.execute("SELECT closes_at - clock_timestamp() FROM fortunes_campaign WHERE id = %s", [campaign])
    (wait,) = ahead.fetchone() or (timedelta(),)
    owner.execute(sql.SQL(CLOCK).format(sql.Literal(f"{wait.total_seconds():.6f} s")))


def _follow(owner: psycopg.Connection, settlement: int, split: Split) -> None:
    """Note when each stage is entered, until all is credited."""
    began = time.monotonic()
    while "done" not in split.entered:
        row = owner.execute(
            "SELECT state, paused_at, last_error FROM redpackets_settlement WHERE id = %s", [settlement]
        )
        state, paused_at, error = row.fetchone() or ("", None, "")
        split.entered.setdefault(state, time.monotonic() - began)
        if paused_at or time.monotonic() - began > PATIENCE_S:
            raise LocalError(f"the settlement stays in {state}: {error or 'no worker takes it further'}")
        time.sleep(LOOK_EVERY_S)


def _plain_insert(owner: psycopg.Connection, pool: int) -> float:
    """The same rows once more by a plain INSERT … SELECT into a table with the same indexes and checks: seconds."""
    owner.execute("CREATE TABLE plain_payout (LIKE redpackets_payout INCLUDING ALL)")
    try:
        columns = "pool_id, player_id, amount_fen"
        began = time.monotonic()
        owner.execute(
            f"INSERT INTO plain_payout ({columns}) SELECT {columns} FROM redpackets_payout WHERE pool_id = %s", [pool]
        )
        return time.monotonic() - began
    finally:
        owner.execute("DROP TABLE plain_payout")


def _table(splits: list[Split], workers: int) -> Iterator[str]:
    yield f"\nsplit by {workers} processes of one worker"
    yield (
        f"{'winners':>10}{'mode':>8}{'freeze to sealed':>18}{'payouts/s':>12}{'plain INSERT/s':>16}{'ratio':>7}"
        f"{'credited/s':>12}{'memory before':>15}{'at most':>9}"
    )
    for split in splits:
        paid, credited = split.seconds("post", "seal"), split.seconds("credit", "done")
        yield (
            f"{split.winners:>10,}{split.mode:>8}{split.seconds('freeze', 'credit'):>16.2f} s"
            f"{split.winners / paid:>12,.0f}"
            f"{split.winners / split.plain_s:>16,.0f}{split.plain_s / paid:>7.0%}"
            f"{split.winners / credited:>12,.0f}{split.before_mib:>11.0f} MiB{split.most_mib:>5.0f} MiB"
        )
