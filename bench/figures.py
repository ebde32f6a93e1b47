"""What a run has measured, as a table and as JSON. Pure."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """The value below which this share of them is; 0 of none."""
    if not sorted_values:
        return 0.0
    return sorted_values[min(int(len(sorted_values) * share), len(sorted_values) - 1)]


@dataclass(slots=True)
class Row:
    """One case. Times are in ms, `cpu` is the share of one core by process.

    `noop_ratio` is this case's rate by that of its no-op at as many connections; None for a no-op itself, or where a
    rate was given.
    """

    case: str
    connections: int
    per_second: float
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    noop_ratio: float | None = None
    errors: int = 0
    cpu: dict[str, float] = field(default_factory=dict)


def row(case: str, connections: int, *, times_s: Sequence[float], seconds: float, **rest: Any) -> Row:
    """A row from how long each of the case's operations took, and all of them together."""
    taken = sorted(1000 * value for value in times_s)
    p50, p95, p99 = (round(percentile(taken, share), 2) for share in (0.50, 0.95, 0.99))
    per_second = round(len(taken) / seconds, 1) if seconds else 0.0
    return Row(case, connections, per_second, p50, p95, p99, **rest)


@dataclass(slots=True)
class Report:
    """Of one run. `notes` are figures that have no place in a row; `faults` is what was wrong."""

    bench: str
    rows: list[Row] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    invariants_ok: bool = False

    @property
    def is_right(self) -> bool:
        return self.invariants_ok and not self.faults and not any(row.errors for row in self.rows)

    def as_json(self) -> str:
        return json.dumps({"machine": machine(), **asdict(self)}, indent=2) + "\n"

    def lines(self) -> Iterator[str]:
        yield f"\n{machine()}"
        if self.rows:
            yield from _table(self.rows)
        for name, value in self.notes.items():
            yield f"{name}: {value}"
        for fault in self.faults:
            yield f"FAULT  {fault}"
        yield "everything is right" if self.is_right else "NOT everything is right"


def _table(rows: Sequence[Row]) -> Iterator[str]:
    processes = list(dict.fromkeys(name for row in rows for name in row.cpu))
    yield (
        f"{'case':<44}{'conns':>6}{'/s':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'of no-op':>9}{'errors':>7}"
        "   CPU µs each: " + ", ".join(processes)
    )
    for row in rows:
        ratio = "" if row.noop_ratio is None else f"{row.noop_ratio:.0%}"
        each = (f"{1e6 * row.cpu.get(name, 0.0) / row.per_second:,.0f}" for name in processes if row.per_second)
        yield (
            f"{row.case:<44}{row.connections:>6}{row.per_second:>9,.0f}{row.p50_ms:>9.2f}{row.p95_ms:>9.2f}"
            f"{row.p99_ms:>9.2f}{ratio:>9}{row.errors:>7}   " + ", ".join(each)
        )


def with_ratios(rows: Sequence[Row], noops: Mapping[str, str]) -> None:
    """Fill in the ratios: `noops` names the no-op of each case that has one."""
    rates = {(row.case, row.connections): row.per_second for row in rows}
    for row in rows:
        noop = rates.get((noops.get(row.case, ""), row.connections))
        row.noop_ratio = round(row.per_second / noop, 3) if noop else None


def machine() -> str:
    """The machine, and how busy it is: others on it make every figure worse."""
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load average {load}"
