"""Doing things at once, at a given moment, or until something is so; with progress."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from config.demo.progress import Progress

T = TypeVar("T")

AT_ONCE = 32
LOOK_EVERY_S = 0.2


def now() -> float:
    """The event loop's clock, in seconds."""
    return asyncio.get_running_loop().time()


async def sleep_until(moment: float) -> None:
    await asyncio.sleep(max(moment - now(), 0))


async def each(items: Collection[T], action: Callable[[T], Awaitable[None]], progress: Progress) -> None:
    """Every item's action, at most AT_ONCE at the same time."""
    waiting, done = iter(items), 0

    async def work() -> None:
        nonlocal done
        for item in waiting:
            await action(item)
            done += 1
            progress.show(done / len(items), f"{done:,} of {len(items):,}")

    async with asyncio.TaskGroup() as tasks:
        for _ in range(min(AT_ONCE, len(items))):
            tasks.create_task(work())


async def until(share: Callable[[], float], within_s: float, progress: Progress) -> bool:
    """Wait until `share` reaches 1; False if it took too long."""
    ends = now() + within_s
    while (reached := share()) < 1:
        if now() > ends:
            return False
        progress.show(reached)
        await asyncio.sleep(LOOK_EVERY_S)
    return True
