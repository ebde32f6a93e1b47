"""HTTP for Django: the event loop waits for clients, threads work (docs/decisions/0003-http-on-threads.md).

A client may send or read slowly, or vanish. None of that happens on a thread: one gets a request when all of it is
here, and is free again before the first byte of the answer is written.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import RequestAborted, RequestDataTooBig
from django.utils import translation

from config import metrics, middleware, problems
from config.handler import CHUNK, Answer, Handler, answer_of
from config.readiness import Readiness
from config.sockets.handshake import language_of
from fortunes.errors import Busy

R = TypeVar("R")
Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

THREADS = 8
WAITING = 256

log = logging.getLogger("fortunes.request")

# It touches nothing, so neither a sick database nor busy threads get the process killed.
ALIVE = Answer(200, [(b"content-type", b"text/plain"), (b"content-length", b"3")], b"ok\n")


class Http:
    """The ASGI application of everything that is not a socket."""

    def __init__(self) -> None:
        self._handler = Handler()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="http")
        self._unfinished = 0
        self._readiness = Readiness()
        # Of their own, as for /readyz: figures are wanted most when everything is busy.
        self._figures = ThreadPoolExecutor(1, thread_name_prefix="metrics")

    @property
    def busy(self) -> int:
        """How many threads are at work."""
        return min(self._unfinished, THREADS)

    @property
    def waiting(self) -> int:
        """How many requests wait for one."""
        return max(0, self._unfinished - THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._about_us(scope) or await self._answer(scope, receive)
        except RequestAborted:
            return
        try:
            await _patiently(send({"type": "http.response.start", "status": answer.status, "headers": answer.headers}))
            async for part in self._parts(answer):
                await _patiently(send({"type": "http.response.body", "body": part, "more_body": True}))
            await _patiently(send({"type": "http.response.body"}))
        except (TimeoutError, RuntimeError) as error:
            _hang_up(send, error)
        finally:
            if answer.file is not None:
                self._pool.submit(answer.file.close)

    async def _about_us(self, scope: Scope) -> Answer | None:
        """What is asked by those who look after the process, and answered without Django and its threads."""
        if scope["path"] == "/livez":
            return ALIVE
        if scope["path"] == "/readyz":
            return await self._readiness.answer()
        if scope["path"] == "/metrics" and metrics.may_read(scope):
            from config import exposition

            return await asyncio.get_running_loop().run_in_executor(self._figures, exposition.page)
        return None

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        forms = scope["path"].startswith("/admin/")
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE if forms else settings.MAX_BODY_BYTES
        try:
            body = await _patiently(_read(scope, receive, limit))
        except RequestDataTooBig:
            return _refusal(scope, lambda: problems.too_large(limit))
        except TimeoutError:
            # What is left of the body must not be taken for a request.
            return _refusal(scope, lambda: problems.protocol("request-timeout"), ("Connection", "close"))
        if self._unfinished >= THREADS + WAITING:
            metrics.request("any", "shed", 503, 0)
            return _refusal(scope, lambda: problems.document(Busy()), ("Retry-After", "1"))
        arrived = time.perf_counter()
        self._unfinished += 1
        try:
            return await self._on_thread(lambda: self._work(scope, body, arrived))
        finally:
            self._unfinished -= 1

    def _work(self, scope: Scope, body: bytes, arrived: float) -> Answer:
        """On a thread, where a log that is slow to take a line holds up nobody else."""
        answer = self._handler.answer(scope, body)
        seconds = time.perf_counter() - arrived
        metrics.request(scope["method"], answer.route, answer.status, seconds)
        if settings.LOG_REQUESTS:
            facts = {"method": scope["method"], "route": answer.route, "status": answer.status}
            log.info("request", extra={**facts, "ms": round(seconds * 1000, 1), "player": answer.player})
        return answer

    async def _parts(self, answer: Answer) -> AsyncIterator[bytes]:
        """A file is read as it is sent, so that a slow reader costs a part of it and not the whole."""
        for start in range(0, len(answer.content), CHUNK):
            yield answer.content[start : start + CHUNK]
        if answer.file is not None:
            file = iter(answer.file)
            while part := await self._on_thread(lambda: next(file, b"")):
                yield part

    async def _on_thread(self, work: Callable[[], R]) -> R:
        # A context of its own: the language that a request activates ends with it.
        context = contextvars.Context()
        return await asyncio.get_running_loop().run_in_executor(self._pool, context.run, work)


async def _patiently(waiting: Awaitable[R]) -> R:
    async with asyncio.timeout(settings.CLIENT_PATIENCE_S):
        return await waiting


async def _read(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body, or RequestDataTooBig; if its length is told, before uvicorn asks for it (100 Continue)."""
    if middleware.is_too_large(dict(scope["headers"]).get(b"content-length", b"").decode("latin-1"), limit):
        raise RequestDataTooBig
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestAborted
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            raise RequestDataTooBig
    return bytes(body)


def _refusal(scope: Scope, problem: Callable[[], dict[str, Any]], *headers: tuple[str, str]) -> Answer:
    with translation.override(language_of(scope)):
        response = problems.plain(problem())
    for name, value in (("Cache-Control", "no-store"), ("Content-Length", str(len(response.content))), *headers):
        response[name] = value
    return answer_of(response)


def _hang_up(send: Send, error: Exception) -> None:
    """Drop the connection of a client that doesn't read, or has gone.

    ASGI has no word for it, and uvicorn's own close waits until all is read, which may be never. When a connection is
    lost, uvicorn tells only the newest of its pipelined requests; the others' writes fail with uvloop's RuntimeError.
    """
    cycle = getattr(send, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if transport is None or not (isinstance(error, TimeoutError) or transport.is_closing()):
        raise error
    transport.abort()
    cycle.disconnected = True  # type: ignore[union-attr]
