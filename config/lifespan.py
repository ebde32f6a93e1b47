"""The beginning and the end of a web process."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn

from config import durability, heart, metrics, presence, watch
from config.http import Http
from fortunes.models import Process

SAMPLE_S = 1.0


class Lifespan:
    """ASGI's lifespan protocol. uvicorn ends, with the reason, when the start fails."""

    def __init__(self, http: Http) -> None:
        self._http = http
        # The loop keeps no strong reference to a task.
        self._sampling: asyncio.Task[None] | None = None

    async def __call__(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        await receive()
        if reasons := await asyncio.to_thread(_reasons_not_to_start):
            await send({"type": "lifespan.startup.failed", "message": "\n".join(reasons)})
            return
        heart.start(Process.Kind.WEB)
        # Before the first socket, which then finds everybody.
        presence.here()
        _spare_the_collector()
        if metrics.is_wanted():
            self._sampling = asyncio.create_task(self._sample_forever())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _sample_forever(self) -> NoReturn:
        while True:
            sockets, healthy = watch.figures()
            metrics.sample(sockets=sockets, doorbell_healthy=healthy, busy=self._http.busy, waiting=self._http.waiting)
            await asyncio.sleep(SAMPLE_S)


def _spare_the_collector() -> None:
    """A pause of the garbage collector is one for every socket of the process.

    What the start has made stays anyway, and what thousands of sockets hold isn't looked through every few hundred
    objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _reasons_not_to_start() -> list[str]:
    """uvicorn takes an exception for "no lifespan here" and goes on, so that every reason must be told."""
    try:
        metrics.activate()
    except OSError as error:
        return [f"Five Fortunes does not start: it can't count for its metrics: {error}"]
    return durability.reasons_not_to_start()
