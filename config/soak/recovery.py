"""What each accident cost, as the clients saw it. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from config.client.outages import Outage
from config.demo.outages import Done
from config.soak.faults import TITLES, Planned


@dataclass(frozen=True, slots=True)
class Struck:
    """An accident that happened, at this instant of the monotonic clock."""

    planned: Planned
    at: float


@dataclass(slots=True)
class Cost:
    """Of one accident: until the next one, `operations` were acknowledged, `lost` of them are not there, `doubled` are
    there without anybody having been told. `recovery_s` is from the accident until the last outage that began after it
    was over: requests that had to be repeated, sockets, late pushes, and the split and the crediting of packets that
    stay unopened if they were still to come, with the time that they take anyway.
    """

    struck: Struck
    operations: int = 0
    lost: int = 0
    doubled: int = 0
    outages: list[Outage] = field(default_factory=list)

    @property
    def recovery_s(self) -> float:
        return max((outage.ended - self.struck.at for outage in self.outages), default=0.0)

    @property
    def by_what(self) -> dict[str, float]:
        """Seconds to recover by what was out."""
        seconds: dict[str, float] = {}
        for outage in self.outages:
            seconds[outage.what] = max(seconds.get(outage.what, 0.0), outage.ended - self.struck.at)
        return seconds


def costs(
    struck: Sequence[Struck], done: Iterable[Done], lost: Iterable[Done], doubled: Iterable[Done], out: Iterable[Outage]
) -> list[Cost]:
    """Each thing counts for the latest accident before it; what comes before the first counts for none."""
    found = [Cost(item) for item in sorted(struck, key=lambda item: item.at)]
    instants = [cost.struck.at for cost in found]

    def latest(at: float) -> Cost | None:
        place = bisect_right(instants, at)
        return found[place - 1] if place else None

    for items, name in ((done, "operations"), (lost, "lost"), (doubled, "doubled")):
        for item in items:
            if cost := latest(item.at):
                setattr(cost, name, getattr(cost, name) + 1)
    for outage in out:
        # The night's work would take its time anyway; it counts for the last accident before its end.
        if cost := latest(outage.ended if outage.what in ("split", "credit", "push") else outage.began):
            cost.outages.append(outage)
    return found


def table(runs: Iterable[list[Cost]]) -> Iterator[str]:
    """One line a kind of accident."""
    yield (
        f"{'accident':<40}{'times':>6}{'operations':>12}{'lost':>6}{'doubled':>9}{'recovery: median':>17}{'worst':>10}"
    )
    by_kind: dict[str, list[Cost]] = {kind: [] for kind in TITLES}
    for cost in chain.from_iterable(runs):
        by_kind[cost.struck.planned.kind].append(cost)
    for kind, found in by_kind.items():
        seconds = sorted(cost.recovery_s for cost in found)
        sums = [sum(getattr(cost, name) for cost in found) for name in ("operations", "lost", "doubled")]
        median, worst = (f"{seconds[len(seconds) // 2]:.1f} s", f"{seconds[-1]:.1f} s") if seconds else ("–", "–")
        yield f"{TITLES[kind]:<40}{len(found):>6}{sums[0]:>12,}{sums[1]:>6}{sums[2]:>9}{median:>17}{worst:>10}"
