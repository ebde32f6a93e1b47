"""The few long-lived threads of a process on which code that touches the database runs.

The event loop never does: sockets and batchers hand their actions to `run`. Each thread keeps its own connection. The
other way round, a thread that asks another host does so on a loop of its own: `run_loop`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

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


class _Abandoned(ThreadPoolExecutor):
    """Nobody waits for what its threads still do."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait=False, cancel_futures=True)


def run_loop(work: Coroutine[Any, Any, R]) -> R:
    """Like `asyncio.run`, and over as soon as `work` is.

    That waits for the loop's threads too, and so for the look-up of a host's name, which can't be given up and takes
    half a minute where no name server answers.
    """

    async def begin() -> R:
        asyncio.get_running_loop().set_default_executor(_Abandoned(thread_name_prefix="names"))
        return await work

    return asyncio.run(begin())
