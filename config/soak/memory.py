"""How much memory the processes of a worker hold, while something goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from config.local import processes

EVERY_S = 0.1


@dataclass(slots=True)
class Grown:
    """Resident memory by process, in MiB, one sample after the other."""

    samples: dict[int, list[float]] = field(default_factory=dict)

    @property
    def before_mib(self) -> float:
        """Of the largest process at the first look."""
        return max((found[0] for found in self.samples.values()), default=0.0)

    @property
    def most_mib(self) -> float:
        """The most that any process ever held."""
        return max((max(found) for found in self.samples.values()), default=0.0)

    def note(self, resident: dict[int, float]) -> None:
        for pid, mib in resident.items():
            self.samples.setdefault(pid, []).append(mib)


@contextmanager
def watched(parent: Callable[[], int]) -> Iterator[Grown]:
    """Sample the process and its children until the block ends."""
    grown, ended = Grown(), threading.Event()

    def sample() -> None:
        while not ended.wait(EVERY_S):
            grown.note(resident(parent()))

    grown.note(resident(parent()))
    thread = threading.Thread(target=sample, name="memory", daemon=True)
    thread.start()
    try:
        yield grown
    finally:
        ended.set()
        thread.join()


def resident(parent: int) -> dict[int, float]:
    """MiB by pid, of a process and its children."""
    return {process.pid: process.resident / 2**20 for process in processes.family(parent)}
