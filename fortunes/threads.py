"""The few long-lived threads of a process on which code that touches the database runs.

The event loop never does: sockets and batchers hand their actions to `run`. Each thread keeps its own connection. The
other way round, a thread that asks another host does so on a loop of its own: `run_loop`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, ParamSpec, TypeVar

from django.db import close_old_connections

P = ParamSpec("P")
Q = TypeVar("Q")
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


class Gathered(Generic[Q, R]):
    """Questions of many sockets, asked together: those that come while others are being answered share the next call.

    `answer` gets a list and returns as long a one, in its order. Nobody waits for company: what has come by the time a
    thread is free is asked, so that calls grow with the load and thousands of sockets that ask the same thing take two
    threads at most.
    """

    def __init__(self, answer: Callable[[Sequence[Q]], Sequence[R]], *, most: int, calls: int = 2) -> None:
        """`most` questions a call, so many `calls` at a time."""
        self._answer = answer
        self._most = most
        self._free = calls
        self._waiting: deque[tuple[Q, asyncio.Future[R]]] = deque()
        # The loop keeps no strong reference to a task.
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, question: Q) -> R:
        """The answer; or what the call raised, for everybody whose question it had."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._free:
            self._free -= 1
            task = asyncio.create_task(self._ask())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _ask(self) -> None:
        try:
            while self._waiting:
                count = min(self._most, len(self._waiting))
                asked = [pair for pair in (self._waiting.popleft() for _ in range(count)) if not pair[1].done()]
                if asked:
                    await self._ask_for(asked)
        finally:
            self._free += 1

    async def _ask_for(self, asked: list[tuple[Q, asyncio.Future[R]]]) -> None:
        try:
            answers = await run(self._answer, [question for question, _ in asked])
        except Exception as error:  # everybody's own: who asked judges it
            for _, future in asked:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(asked, answers, strict=True):
            if not future.done():
                future.set_result(answer)


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
