"""Load generators: processes of their own. They read a task as JSON, and write what they measured into its `result`."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import uvloop

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def main(work: Callable[[dict[str, Any]], Awaitable[Any]]) -> None:
    task = json.loads(sys.stdin.readline())
    # Its pauses would be taken for the servers'.
    gc.freeze()
    gc.disable()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(_run(work, task))
    if path := task.get("result"):
        Path(path).write_text(json.dumps(result))


async def _run(work: Callable[[dict[str, Any]], Awaitable[Any]], task: dict[str, Any]) -> Any:
    return await work(task)


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """What the servers have used since they were started, each with its children; and this process, the `load`."""
    used = dict.fromkeys([*pids, "load"], 0.0)
    names = {pid: name for name, pid in pids.items()} | {os.getpid(): "load"}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        name = names.get(int(folder.name)) or names.get(int(fields[1]))
        if name:
            used[name] += (int(fields[11]) + int(fields[12])) / TICKS_PER_S
    return used


def shares(before: Mapping[str, float], after: Mapping[str, float], seconds: float) -> dict[str, float]:
    """Of one core, by process."""
    return {name: round((after[name] - before.get(name, 0.0)) / seconds, 4) for name in after}
