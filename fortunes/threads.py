"""The few long-lived threads of a process on which code that touches the database runs.

The event loop never does: sockets and batchers hand their actions to `run`. Each thread keeps its own connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

P = ParamSpec("P")
R = TypeVar("R")

COUNT = 4

_pool = ThreadPoolExecutor(max_workers=COUNT, thread_name_prefix="action")


async def run(action: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The result of `action(*args, **kwargs)`, run on one of the threads."""

    def call() -> R:
        # A connection that broke since the last call is dropped here and made anew.
        close_old_connections()
        return action(*args, **kwargs)

    return await asyncio.get_running_loop().run_in_executor(_pool, call)
