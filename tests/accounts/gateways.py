"""A gateway for text messages: a real HTTP service with a mind of its own, and what reads codes from it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CODE = re.compile(r"\b\d{6}\b")


@dataclass
class Gateway:
    """What arrived, in order, and how it answers. `answer` may block: what it returns is the status."""

    url: str = ""
    arrived: list[dict[str, Any]] = field(default_factory=list)
    answer: Callable[[int], int] = lambda number: 202
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, headers: Any, body: bytes) -> int:
        with self.lock:
            self.arrived.append({"headers": dict(headers), "body": body, **json.loads(body)})
            number = len(self.arrived)
        return self.answer(number)

    def code(self, number: str) -> str:
        """The code of the newest message to a number."""
        (*_, text) = [message["text"] for message in self.arrived if message["to"] == number]
        return CODE.search(text).group()


@contextmanager
def running() -> Iterator[Gateway]:
    gateway = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = gateway.take(self.headers, body)
            if status:
                self.send_response(status)
                self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    gateway.url = f"http://127.0.0.1:{server.server_address[1]}/texts"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
